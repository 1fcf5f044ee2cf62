import { setTimeout as delay } from 'node:timers/promises'
import type { Hash } from 'viem'
import { defaultGenesisTimestamp } from '../anvil.ts'
import { HarnessError } from '../errors.ts'
import { createKeccak256 } from '../ethereum/keccak256.ts'
import { createRandom, type Random } from '../random.ts'
import { contractNames } from './contracts.ts'
import { createRpc } from './createRpc.ts'
import {
  createTransactionSource,
  type DevnetTransaction,
  type TrafficKind,
  type TransactionSourceState,
} from './createTransactionSource.ts'
import { type KeptTransactions, keepSome } from './keepSome.ts'

export type TrafficOptions = {
  /** Names the whole run: the same options give the same head hash. Default 1. */
  readonly seed?: string | number
  /** Height to reach; undefined: until `signal` is aborted. */
  readonly blocks?: number
  /** Milliseconds from one block to the next; 0: as fast as the node takes them. Default 1 000. */
  readonly blockTimeMs?: number
  /** Default 40. */
  readonly txPerBlock?: number
  /** Share of transactions that are envelopes, 0 to 1. Default 0.3. */
  readonly svmShare?: number
  /** A reorg whenever this many blocks were added; 0 (the default): none. */
  readonly reorgEvery?: number
  /** Blocks replaced by each. Default 2. */
  readonly reorgDepth?: number
}

export type MinedBlock = {
  readonly number: bigint
  readonly hash: Hash
  readonly timestamp: number
  /** `replaced` where it takes the place of a block mined before. */
  readonly replaced: boolean
  readonly kinds: readonly TrafficKind[]
}

export type TrafficHooks = {
  /** Aborting it ends the traffic at the next whole block. */
  readonly signal?: AbortSignal
  readonly onBlock?: (block: MinedBlock) => void
  /**
   * Each reorg waits for it: a branch that is replaced before anyone has read it is no reorg to whoever follows. The
   * chain is the same with or without.
   */
  readonly beforeReorg?: (head: BlockPosition) => Promise<unknown>
}

export type BlockPosition = { readonly number: bigint; readonly hash: Hash }

export type TrafficNode = {
  readonly rpcUrl: string
  readonly chainId: number
  readonly mnemonic: string
  readonly accounts: number
}

export type TrafficResult = {
  /** Height of the head. */
  readonly blocks: number
  readonly head: BlockPosition
  readonly reorgs: number
  readonly blocksReverted: number
  /** Mined, those of replaced blocks too. */
  readonly transactions: number
}

/** Seconds between blocks' timestamps, whatever the wall clock does. */
const timestampStep = 12

type Mined = {
  readonly hash: Uint8Array
  readonly transactions: readonly DevnetTransaction[]
  /** As it was once this block was made. */
  readonly source: TransactionSourceState
  readonly envelopeCarry: number
}

/**
 * Drives a freshly started anvil: signs the traffic, mines every block at a set time, and replaces the last blocks by
 * others at every reorg (rolled back, then mined anew with other transactions; some of the undone ones come again,
 * some in a later block, some never). Resolves at height `blocks`, or when `signal` is aborted.
 *
 * @throws HarnessError `DEVNET_OPTIONS`: all problems of the options at once; `DEVNET_DIVERGED`: the node mined
 *   something else than what was sent; `RPC_FAILED`.
 */
export async function runTraffic(
  node: TrafficNode,
  options: TrafficOptions,
  { signal, onBlock, beforeReorg }: TrafficHooks = {},
): Promise<TrafficResult> {
  const { seed, blocks, blockTimeMs, txPerBlock, svmShare, reorgEvery, reorgDepth } =
    checkTrafficOptions(options)
  // Not tied to `signal`: a block begun is a block finished.
  const rpc = createRpc(node.rpcUrl)
  const source = createTransactionSource({ ...node, seed }, await createKeccak256())
  const everyone = Array.from({ length: node.accounts }, (_, index) => index)
  const genesis = await rpc.call<{ hash: Hash; timestamp: string }>('eth_getBlockByNumber', ['latest', false])

  /** The canonical chain by height, as far back as blockhashes and reorgs reach. */
  const chain = new Map<number, Mined>()
  const reach = 160 + reorgDepth
  let height = 0
  let headHash = genesis.hash
  let timestamp = Number(genesis.timestamp) || defaultGenesisTimestamp
  let mined = 0
  let transactions = 0
  let reorgs = 0
  let envelopeCarry = 0
  chain.set(0, { hash: bytesOf(genesis.hash), transactions: [], source: source.state(), envelopeCarry })

  const mine = async (kept: KeptTransactions | undefined): Promise<void> => {
    const number = height + 1
    // A stream per block mined: what a fork draws does not shift what others draw.
    const random = createRandom(seed, `block ${mined}`)
    const again = kept?.take() ?? []
    for (const transaction of again) source.resend(transaction)
    const senders = everyone.filter((sender) => kept === undefined || kept.isFree(sender))
    const fresh =
      senders.length === 0 ? [] : sign(number, random, senders, Math.max(0, txPerBlock - again.length))
    // The node orders by fee, so by order of signing.
    const block = [...again, ...fresh].sort((a, b) => a.order - b.order)
    timestamp += timestampStep

    await send(block)
    await rpc.call('evm_setNextBlockTimestamp', [timestamp])
    await rpc.call('evm_mine')
    const found = await rpc.call<{ number: string; hash: Hash; transactions: Hash[] }>(
      'eth_getBlockByNumber',
      ['latest', false],
    )
    assertMined(found, number, block)
    height = number
    headHash = found.hash
    mined += 1
    transactions += block.length
    chain.set(number, {
      hash: bytesOf(found.hash),
      transactions: block,
      source: source.state(),
      envelopeCarry,
    })
    chain.delete(number - reach)
    onBlock?.({
      number: BigInt(number),
      hash: found.hash,
      timestamp,
      replaced: kept !== undefined,
      kinds: block.map(({ kind }) => kind),
    })
  }

  const sign = (
    number: number,
    random: Random,
    senders: readonly number[],
    count: number,
  ): DevnetTransaction[] => {
    const recent: Uint8Array[] = []
    for (let at = Math.max(1, number - 64); at < number; at++) recent.push(chain.get(at)!.hash)
    const signed = number === 1 ? contractNames.map((_, index) => source.deploy(index)) : []
    // What the share leaves of a transaction is carried over to the next block.
    envelopeCarry += count * svmShare
    let envelopes = Math.floor(envelopeCarry)
    envelopeCarry -= envelopes
    for (let left = count; left > 0; left--) {
      const isEnvelope = random.below(left) < envelopes
      if (isEnvelope) envelopes -= 1
      signed.push(isEnvelope ? source.envelope(random, senders, recent) : source.ethereum(random, senders))
    }
    return signed
  }

  /** Sent in portions: the node takes requests of 2 MB at most. All are in its pool when this resolves. */
  const send = async (block: readonly DevnetTransaction[]): Promise<void> => {
    for (let at = 0; at < block.length; at += 100) {
      const portion = block.slice(at, at + 100)
      await rpc.batch(portion.map(({ raw }) => ({ method: 'eth_sendRawTransaction', params: [hexOf(raw)] })))
    }
  }

  const reorg = async (): Promise<void> => {
    const undone = Array.from(
      { length: reorgDepth },
      (_, index) => chain.get(height - reorgDepth + 1 + index)!,
    )
    await rpc.call('anvil_rollback', [reorgDepth])
    height -= reorgDepth
    const ancestor = chain.get(height)!
    source.restore(ancestor.source)
    envelopeCarry = ancestor.envelopeCarry
    const kept = keepSome(
      undone.map((block) => block.transactions),
      createRandom(seed, `reorg ${reorgs}`),
    )
    reorgs += 1
    for (let index = 0; index < reorgDepth; index++) await mine(kept)
  }

  const isStopped = () => signal?.aborted === true
  let due = performance.now()
  let reorgedAt = 0
  while (!isStopped()) {
    const isReorgDue = reorgEvery > 0 && height - reorgedAt >= reorgEvery
    if (!isReorgDue && blocks !== undefined && height >= blocks) break
    due = Math.max(due + blockTimeMs, performance.now() - blockTimeMs)
    await pause(due - performance.now(), signal)
    if (isReorgDue) await unlessAborted(beforeReorg?.({ number: BigInt(height), hash: headHash }), signal)
    if (isStopped()) break
    if (isReorgDue) {
      reorgedAt = height
      await reorg()
    } else await mine(undefined)
  }
  return {
    blocks: height,
    head: { number: BigInt(height), hash: headHash },
    reorgs,
    blocksReverted: reorgs * reorgDepth,
    transactions,
  }
}

/** Defaults filled in. @throws HarnessError `DEVNET_OPTIONS` naming every problem. */
export function checkTrafficOptions(options: TrafficOptions) {
  const { seed = 1, blocks, blockTimeMs = 1000, txPerBlock = 40, svmShare = 0.3 } = options
  const { reorgEvery = 0, reorgDepth = 2 } = options
  const problems = [
    blocks !== undefined &&
      !(Number.isInteger(blocks) && blocks > 0) &&
      `blocks: expected 1 or more, got ${blocks}`,
    !(blockTimeMs >= 0) && `blockTimeMs: expected 0 or more, got ${blockTimeMs}`,
    !(Number.isInteger(txPerBlock) && txPerBlock >= 0 && txPerBlock <= 5000) &&
      `txPerBlock: expected 0 to 5000, got ${txPerBlock}`,
    !(svmShare >= 0 && svmShare <= 1) && `svmShare: expected 0 to 1, got ${svmShare}`,
    !(Number.isInteger(reorgEvery) && reorgEvery >= 0) && `reorgEvery: expected 0 or more, got ${reorgEvery}`,
    !(Number.isInteger(reorgDepth) && reorgDepth > 0) && `reorgDepth: expected 1 or more, got ${reorgDepth}`,
    reorgEvery > 0 &&
      reorgDepth >= reorgEvery &&
      `reorgDepth: expected less than reorgEvery (${reorgEvery}), got ${reorgDepth}`,
  ].filter((problem) => problem !== false)
  if (problems.length > 0) throw new HarnessError('DEVNET_OPTIONS', problems.join('; '))
  return { seed, blocks, blockTimeMs, txPerBlock, svmShare, reorgEvery, reorgDepth }
}

function assertMined(
  found: { readonly number: string; readonly transactions: readonly Hash[] },
  number: number,
  sent: readonly DevnetTransaction[],
): void {
  const expected = sent.map(({ hash }) => hexOf(hash))
  const at = expected.findIndex((hash, index) => hash !== found.transactions[index])
  if (Number(found.number) === number && at === -1 && found.transactions.length === expected.length) return
  throw new HarnessError(
    'DEVNET_DIVERGED',
    `expected block ${number} with ${expected.length} transactions as sent, got block ${Number(found.number)} with ` +
      `${found.transactions.length}, first difference at ${at}${at < 0 ? '' : ` (${sent[at]!.kind} ${expected[at]})`}`,
  )
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  if (milliseconds <= 0) return
  try {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    // The end of the run, not a failure of it.
    if (signal?.aborted !== true) throw error
  }
}

/** Waits for the work, or no longer when aborted: who is to do it may be gone by then. */
async function unlessAborted(
  work: Promise<unknown> | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const settled = new AbortController()
  const aborted = new Promise<void>((resolve) => {
    if (signal?.aborted === true) resolve()
    signal?.addEventListener('abort', () => resolve(), { once: true, signal: settled.signal })
  })
  try {
    await Promise.race([work, aborted])
  } finally {
    settled.abort()
  }
}

function bytesOf(hash: Hash): Uint8Array {
  return Buffer.from(hash.slice(2), 'hex')
}

function hexOf(bytes: Uint8Array): Hash {
  return `0x${Buffer.from(bytes).toString('hex')}`
}
