import type { Hash } from 'viem'
import { createRpc } from '../devnet/createRpc.ts'
import type { BlockPosition } from '../devnet/runTraffic.ts'
import { HarnessError } from '../errors.ts'
import { nowMs } from '../latency/watchLatency.ts'
import { createEngineApi, type Payload } from './createEngineApi.ts'

export type ConsensusDriverOptions = {
  readonly rpcUrl: string
  /** The authenticated port. */
  readonly engineUrl: string
  /** 32 bytes, hex. */
  readonly secret: string
  /** The finalized block is this many below the head. Default 64: no reorg may be deeper. */
  readonly finalityDepth?: number
}

/** What a consensus client does to an execution client: it has blocks built, and says which of them is the head. */
export type ConsensusDriver = {
  readonly head: () => BlockPosition
  readonly finalized: () => BlockPosition
  /** The canonical block at a height. */
  readonly at: (number: bigint) => BlockPosition
  /**
   * Has a block built of what the pool holds, on the head, and makes it the head; `committedMs` is when the client was asked to, in Unix
   * milliseconds.
   */
  mine(): Promise<BlockPosition & { readonly committedMs: number }>
  /**
   * Has one built on the block `depth` below the head, and makes it the head: the chain is shorter by `depth` - 1 then.
   * What it replaces can be made the head again by `choose`.
   */
  fork(depth: number): Promise<BlockPosition>
  /** Makes a block the head that was the head before: all of its branch at once. */
  choose(hash: Hash): Promise<BlockPosition>
  /**
   * Hands the execution client what it does not have of the chain, and the head again, as a consensus client does to one
   * that was away.
   */
  repeat(): Promise<void>
}

type Known = BlockPosition & {
  readonly parent: Hash
  readonly timestamp: number
  /** Of blocks that were built here. */
  readonly payload?: Payload
}

/** Seconds between the times of blocks. */
const step = 1

/** Follows on from what the node has. */
export async function createConsensusDriver(options: ConsensusDriverOptions): Promise<ConsensusDriver> {
  const { finalityDepth = 64 } = options
  const engine = createEngineApi(options.engineUrl, options.secret)
  const rpc = createRpc(options.rpcUrl)
  const known = new Map<Hash, Known>()
  type Header = { number: string; hash: Hash; parentHash: Hash; timestamp: string }
  const learn = async (tag: Hash | string): Promise<Known> => {
    const method = tag.length === 66 ? 'eth_getBlockByHash' : 'eth_getBlockByNumber'
    const found = await rpc.call<Header | null>(method, [tag, false])
    if (found === null)
      throw new HarnessError('RPC_FAILED', `expected block ${tag} at ${options.rpcUrl}, it has none`)
    const { hash, parentHash: parent } = found
    const block = { number: BigInt(found.number), hash, parent, timestamp: Number(found.timestamp) }
    known.set(hash, block)
    return block
  }
  /** Heights to blocks of the canonical chain, as deep as forks and finality reach. */
  const canonical = new Map<bigint, Known>()
  let head = await learn('latest')
  canonical.set(head.number, head)
  for (let block = head; block.number > 0n && head.number - block.number <= finalityDepth; ) {
    block = await learn(block.parent)
    canonical.set(block.number, block)
  }
  let finalized = canonical.get(lower(head.number, finalityDepth))!
  let built = 0

  const at = (number: bigint): Known => {
    const block = canonical.get(number)
    if (block === undefined)
      throw new HarnessError(
        'ENGINE_REFUSED',
        `expected a height up to ${head.number} that is remembered, got ${number}`,
      )
    return block
  }
  const state = (tip: Known, final: Known) => ({
    headBlockHash: tip.hash,
    safeBlockHash: final.hash,
    finalizedBlockHash: final.hash,
  })
  const adopt = (tip: Known) => {
    // The chain above is another one; below, it is walked down until it is the same.
    for (let number = tip.number + 1n; canonical.delete(number); ) number += 1n
    for (let block: Known | undefined = tip; block !== undefined; block = known.get(block.parent)) {
      if (canonical.get(block.number)?.hash === block.hash) break
      canonical.set(block.number, block)
    }
    head = tip
    const number = lower(tip.number, finalityDepth)
    // Never back: what was final stays so on a shorter fork.
    if (number > finalized.number) finalized = at(number)
    for (const [hash, block] of known) {
      if (block.number + 2n * BigInt(finalityDepth) + 2n < head.number) known.delete(hash)
    }
  }
  const buildOn = async (parent: Known) => {
    built += 1
    const prevRandao: Hash = `0x${built.toString(16).padStart(64, '0')}`
    const timestamp = parent.timestamp + step
    const attributes = { timestamp, prevRandao }
    let id = await engine.forkchoice(state(parent, finalized), attributes)
    if (id === undefined) {
      // geth builds on its head alone: it is told that this is it.
      await rpc.call('debug_setHead', [`0x${parent.number.toString(16)}`])
      id = await engine.forkchoice(state(parent, finalized), attributes)
    }
    if (id === undefined)
      throw new HarnessError(
        'ENGINE_REFUSED',
        `expected ${options.engineUrl} to build on ${parent.number}, it did not`,
      )
    const payload = await engine.payload(id)
    await engine.newPayload(payload)
    const { blockHash: hash } = payload.executionPayload
    const block = { number: parent.number + 1n, hash, parent: parent.hash, timestamp, payload }
    known.set(hash, block)
    adopt(block)
    const committedMs = nowMs()
    await engine.forkchoice(state(block, finalized))
    return { number: block.number, hash, committedMs }
  }
  return {
    head: () => ({ number: head.number, hash: head.hash }),
    finalized: () => ({ number: finalized.number, hash: finalized.hash }),
    at: (number) => ({ number, hash: at(number).hash }),
    mine: () => buildOn(head),
    fork: (depth) => buildOn(at(head.number - BigInt(depth))),
    choose: async (hash) => {
      const block = known.get(hash)
      if (block === undefined)
        throw new HarnessError('ENGINE_REFUSED', `expected a block that was the head, got ${hash}`)
      // A client that forgot the branch is given it again.
      const branch: Payload[] = []
      for (let at: Known | undefined = block; at?.payload !== undefined; at = known.get(at.parent)) {
        if (canonical.get(at.number)?.hash === at.hash) break
        branch.unshift(at.payload)
      }
      for (const payload of branch) await engine.newPayload(payload)
      adopt(block)
      await engine.forkchoice(state(block, finalized))
      return { number: block.number, hash }
    },
    repeat: async () => {
      const has = BigInt(await rpc.call<string>('eth_blockNumber'))
      // A few below, too: what it has at its head may be of another branch.
      for (let number = lower(has, finalityDepth) + 1n; number <= head.number; number += 1n) {
        const payload = canonical.get(number)?.payload
        if (payload === undefined) continue
        try {
          await engine.newPayload(payload)
        } catch {
          // geth takes a block that it has without its state for known, and then refuses its child: told that it is the
          // head, it makes the state.
          const parent = at(number - 1n)
          await engine.forkchoice(state(parent, parent.number < finalized.number ? parent : finalized))
          await engine.newPayload(payload)
        }
      }
      await engine.forkchoice(state(head, finalized))
    },
  }
}

const lower = (number: bigint, by: number): bigint => (number > BigInt(by) ? number - BigInt(by) : 0n)
