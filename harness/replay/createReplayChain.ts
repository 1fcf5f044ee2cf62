import { createHash, hash } from 'node:crypto'
import { basename } from 'node:path'
import type { Hash } from 'viem'
import type { Block, BlockRef, TransactionColumns } from '#exex/server'
import { HarnessError } from '../errors.ts'
import { createKeccak256 } from '../ethereum/keccak256.ts'
import { createRandom } from '../random.ts'
import { concatColumns, gatherColumns } from './columns.ts'
import { createEnvelopeRows, type EnvelopeRowsState } from './createEnvelopeRows.ts'
import { createHashStore } from './createHashStore.ts'
import type { Recording } from './openRecording.ts'

export type ReplayOptions = {
  /** Passes over the recording. Default 1. */
  readonly repeat?: number
  /** Share of a block's transactions that are envelopes, 0 to 1; with 1 nothing else is left. Default 0. */
  readonly svmShare?: number
  /** A fork is committed and undone whenever this many blocks were added; 0 (the default): none. */
  readonly reorgEvery?: number
  /** Blocks of each fork. Default 2. */
  readonly reorgDepth?: number
  /** Names envelopes and forks. Default 1. */
  readonly seed?: string | number
}

/** First the undo (oldest first), then the blocks (oldest first), whose first one's parent is `parent`. */
export type ReplayEvent = {
  readonly undo: readonly BlockRef[]
  readonly blocks: readonly Block[]
  readonly parent: BlockRef
  /** Whether the blocks are of a fork: the next such change undoes them. */
  readonly fork: boolean
}

/** A chain made of recorded blocks. Canonical blocks are the same with and without reorgs. */
export type ReplayChain = {
  readonly genesis: BlockRef
  readonly reorgDepth: number
  /** Canonical blocks from the given number (1 is the first), generated as they are asked for, any number of times. */
  blocks(from: bigint): AsyncIterable<Block>
  /** What happens after canonical block `after` (0: genesis), forks included. */
  events(after: bigint): AsyncIterable<ReplayEvent>
  /** A canonical block that was generated before, else undefined. */
  ref(number: bigint): BlockRef | undefined
}

/** Where generating stands after a block: all that the next one depends on besides the recording. Small: it is kept. */
type Cursor = {
  readonly number: bigint
  readonly timestamp: bigint
  readonly pass: number
  /** Of the next recorded block within the pass. */
  readonly index: number
  readonly envelopeCarry: number
  readonly envelopes: EnvelopeRowsState
}

type Generated = {
  readonly block: Block
  readonly after: Cursor
  /** Recorded rows come first; for each envelope row, the highest block number it depends on. */
  readonly recordedRows: number
  readonly dependsOn: readonly bigint[]
}

/** Blocks between kept cursors: an old block is had by generating at most this many. */
const checkpointDistance = 512n
/** Seconds between blocks whose recorded timestamps do not rise. */
const timestampStep = 12n
const genesisTimestamp = 0n
/** What envelopes of a block may be signed on: fewer than the 150 that are allowed. */
const recentHashes = 64n

/**
 * Chains recorded blocks anew: numbers from 1, parents and hashes of its own, timestamps rising; `origin` keeps where
 * each came from (`mainnet:18090205`, from the second pass on `mainnet:18090205#2`). A pass changes transaction hashes
 * too, for the same transaction is in a chain once. Envelopes are appended as signed transactions.
 *
 * @throws HarnessError `REPLAY_OPTIONS`: all problems of the options at once.
 */
export async function createReplayChain(
  recording: Recording,
  options: ReplayOptions = {},
): Promise<ReplayChain> {
  const { repeat, svmShare, reorgEvery, reorgDepth, seed } = checkReplayOptions(options)
  const keccak256 = await createKeccak256()
  const name = JSON.stringify([
    'monmouth replay',
    String(seed),
    svmShare,
    recording.files.map((file) => basename(file)),
  ])
  const genesis: BlockRef = { number: 0n, hash: `0x${hash('sha256', name, 'hex')}` }
  const hashes = createHashStore(genesis.hash)
  const checkpoints = new Map<bigint, Cursor>()
  const masks = createPassMasks()

  // One for all readers: what it stands at is put back before each use, and no use is interrupted.
  const rows = createEnvelopeRows(seed, keccak256)
  const forkRows = createEnvelopeRows(seed, keccak256, 'fork')
  const initialEnvelopes = rows.state()

  async function* generate(after: bigint): AsyncGenerator<Generated> {
    let nearest = after - (after % checkpointDistance)
    while (nearest > 0n && !checkpoints.has(nearest)) nearest -= checkpointDistance
    let cursor: Cursor = {
      number: 0n,
      timestamp: genesisTimestamp,
      pass: 0,
      index: 0,
      envelopeCarry: 0,
      envelopes: initialEnvelopes,
    }
    const kept = checkpoints.get(nearest)
    if (kept !== undefined) cursor = kept
    for (; cursor.pass < repeat; cursor = { ...cursor, pass: cursor.pass + 1, index: 0 }) {
      for await (const recorded of recording.blocks(cursor.index)) {
        const generated = nextBlock(cursor, recorded)
        cursor = generated.after
        const { number, hash: blockHash } = generated.block.ref
        hashes.set(number, blockHash)
        if (number % checkpointDistance === 0n) checkpoints.set(number, cursor)
        if (number > after) yield generated
      }
    }
  }

  const nextBlock = (before: Cursor, recorded: Block): Generated => {
    const number = before.number + 1n
    const timestamp =
      recorded.timestamp > before.timestamp ? recorded.timestamp : before.timestamp + timestampStep
    const source = masks.apply(recorded.transactions, before.pass)
    const wanted = svmShare < 1 ? (source.count * svmShare) / (1 - svmShare) : source.count
    const exact = before.envelopeCarry + wanted
    const count = Math.floor(exact)
    const kept = svmShare < 1 ? source : gatherColumns(source, [])

    rows.restore(before.envelopes)
    const recent = count === 0 ? [] : recentOf(number - 1n)
    const made = rows.make(createRandom(seed, `envelopes ${number}`), recent, count)
    const transactions = concatColumns(kept, made.columns)
    const parent = { number: before.number, hash: hashes.get(before.number)! }
    const gasUsed = (svmShare < 1 ? recorded.gasUsed : 0n) + gasOf(made.columns)
    const origin = `mainnet:${recorded.ref.number}${before.pass === 0 ? '' : `#${before.pass + 1}`}`
    return {
      block: chained(recorded, { number, parent, timestamp, origin, transactions, gasUsed, fork: 0n }),
      after: {
        number,
        timestamp,
        pass: before.pass,
        index: before.index + 1,
        envelopeCarry: exact - count,
        envelopes: rows.state(),
      },
      recordedRows: kept.count,
      dependsOn: made.youngestHashes.map((age) => (age === undefined ? 0n : number - 1n - BigInt(age))),
    }
  }

  /** Hashes of the blocks up to `tip` that may be signed on, newest last. Genesis is none of them: nobody saw it mined. */
  const recentOf = (tip: bigint): Uint8Array[] => {
    const recent: Uint8Array[] = []
    for (let at = tip - recentHashes + 1n; at <= tip; at++) {
      if (at > 0n) recent.push(hashes.bytes(at))
    }
    return recent
  }

  /**
   * A fork beside `canonical`, the blocks after `base`: some of their transactions (so these appear again when it is
   * undone), but for those that depend on blocks it does not have; and envelopes of its own, signed on hashes from
   * before it.
   */
  const fork = (base: Cursor, canonical: readonly Generated[]): Block[] => {
    const random = createRandom(seed, `fork ${base.number}`)
    // Nonces of the fork's own accounts go on from where no other fork's reach.
    forkRows.restore({ ...base.envelopes, nonces: base.envelopes.nonces.map(() => base.number * 10_000n) })
    const recent = recentOf(base.number)
    let parent: BlockRef = { number: base.number, hash: hashes.get(base.number)! }
    let { timestamp } = base
    return canonical.map(({ block, recordedRows, dependsOn }) => {
      const shared: number[] = []
      for (let row = 0; row < block.transactions.count; row++) {
        const isEnvelope = row >= recordedRows
        if (isEnvelope && dependsOn[row - recordedRows]! > base.number) continue
        if (random.chance(isEnvelope ? 0.6 : 0.8)) shared.push(row)
      }
      const own = dependsOn.length === 0 ? 0 : 1 + random.below(dependsOn.length)
      const made = forkRows.make(random, recent, own)
      timestamp += 1n + BigInt(random.below(11))
      const transactions = concatColumns(gatherColumns(block.transactions, shared), made.columns)
      const forked = chained(block, {
        number: parent.number + 1n,
        parent,
        timestamp,
        origin: block.origin,
        transactions,
        gasUsed: gasOf(transactions),
        fork: base.number,
      })
      parent = forked.ref
      return forked
    })
  }

  async function* events(after: bigint): AsyncGenerator<ReplayEvent> {
    const canonical = generate(after > 0n ? after - 1n : 0n)[Symbol.asyncIterator]()
    const take = async (): Promise<Generated | undefined> => {
      const next = await canonical.next()
      return next.done === true ? undefined : next.value
    }
    // The block at `after` itself is only needed for where it left generating.
    let tip: Cursor | undefined = after > 0n ? (await take())?.after : undefined
    const commit = (blocks: readonly Generated[], undo: readonly BlockRef[]): ReplayEvent => {
      tip = blocks[blocks.length - 1]!.after
      return { undo, blocks: blocks.map(({ block }) => block), parent: blocks[0]!.block.parent, fork: false }
    }
    for (;;) {
      const next = await take()
      if (next === undefined) return
      const isForkPoint = reorgEvery > 0 && tip !== undefined && tip.number % BigInt(reorgEvery) === 0n
      if (!isForkPoint) {
        yield commit([next], [])
        continue
      }
      // One more than the fork is long: what wins is the longer branch.
      const ahead = [next]
      while (ahead.length <= reorgDepth) {
        const more = await take()
        if (more === undefined) break
        ahead.push(more)
      }
      if (ahead.length < reorgDepth) {
        // Too near the end for a fork of this depth to be overtaken.
        for (const one of ahead) yield commit([one], [])
        continue
      }
      const forked = fork(tip!, ahead.slice(0, reorgDepth))
      for (const block of forked) yield { undo: [], blocks: [block], parent: block.parent, fork: true }
      yield commit(
        ahead,
        forked.map(({ ref }) => ref),
      )
    }
  }

  return {
    genesis,
    reorgDepth: reorgEvery > 0 ? reorgDepth : 0,
    blocks: async function* (from) {
      for await (const { block } of generate(from - 1n)) yield block
    },
    events,
    ref: (number) => {
      const known = hashes.get(number)
      return known === undefined ? undefined : { number, hash: known }
    },
  }
}

/** Defaults filled in. @throws HarnessError `REPLAY_OPTIONS` naming every problem. */
function checkReplayOptions(options: ReplayOptions): Required<ReplayOptions> {
  const { repeat = 1, svmShare = 0, reorgEvery = 0, reorgDepth = 2, seed = 1 } = options
  const problems = [
    !(Number.isInteger(repeat) && repeat > 0) && `repeat: expected 1 or more, got ${repeat}`,
    !(svmShare >= 0 && svmShare <= 1) && `svmShare: expected 0 to 1, got ${svmShare}`,
    !(Number.isInteger(reorgEvery) && reorgEvery >= 0) && `reorgEvery: expected 0 or more, got ${reorgEvery}`,
    !(Number.isInteger(reorgDepth) && reorgDepth > 0) && `reorgDepth: expected 1 or more, got ${reorgDepth}`,
    reorgEvery > 0 &&
      reorgDepth >= reorgEvery &&
      `reorgDepth: expected less than reorgEvery (${reorgEvery}), got ${reorgDepth}`,
  ].filter((problem) => problem !== false)
  if (problems.length > 0) throw new HarnessError('REPLAY_OPTIONS', problems.join('; '))
  return { repeat, svmShare, reorgEvery, reorgDepth, seed }
}

/** A block with its place in this chain; its hash says all of that place and of its transactions' hashes. */
function chained(
  block: Block,
  place: {
    readonly number: bigint
    readonly parent: BlockRef
    readonly timestamp: bigint
    readonly origin: string | undefined
    readonly transactions: TransactionColumns
    readonly gasUsed: bigint
    /** Number of the block a fork branches off from; 0 on the canonical chain. */
    readonly fork: bigint
  },
): Block {
  const head = Buffer.alloc(24)
  head.writeBigUInt64LE(place.number, 0)
  head.writeBigUInt64LE(place.timestamp, 8)
  head.writeBigUInt64LE(place.fork, 16)
  const blockHash: Hash = `0x${createHash('sha256')
    .update(Buffer.from(place.parent.hash.slice(2), 'hex'))
    .update(head)
    .update(place.transactions.hashes)
    .digest('hex')}`
  return {
    ref: { number: place.number, hash: blockHash },
    parent: place.parent,
    timestamp: place.timestamp,
    gasLimit: block.gasLimit,
    gasUsed: place.gasUsed,
    baseFeePerGas: block.baseFeePerGas,
    origin: place.origin,
    transactions: place.transactions,
  }
}

function gasOf(columns: TransactionColumns): bigint {
  return BigInt(columns.gasUsed.reduce((sum, gas) => sum + gas, 0))
}

/** Changes every hash of a pass by the same 32 bytes: as unlikely to collide as before, and it can be taken back. */
function createPassMasks() {
  let pass = 0
  let mask = new Uint32Array(8)
  return {
    apply: (columns: TransactionColumns, wanted: number): TransactionColumns => {
      if (wanted === 0) return columns
      if (wanted !== pass) {
        pass = wanted
        mask = new Uint32Array(
          new Uint8Array(hash('sha256', `monmouth replay pass ${pass}`, 'buffer')).buffer,
        )
      }
      const words = new Uint32Array(8 * columns.count)
      const bytes = new Uint8Array(words.buffer)
      bytes.set(columns.hashes)
      for (let at = 0; at < words.length; at++) words[at]! ^= mask[at & 7]!
      return { ...columns, hashes: bytes }
    },
  }
}
