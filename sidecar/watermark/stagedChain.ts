import { hash as digest } from 'node:crypto'
import type { Logger } from 'pino'
import type { BlockRef } from '../notification/types.ts'
import type { BlockRecord, ChainTables, Head } from './chainTables.ts'
import { EffectsOutOfOrderError, UndoTooDeepError } from './errors.ts'
import { hashToBytes } from './hashBytes.ts'
import { decodeValues, encodePreImages, type StoredValue } from './stateWriteCodec.ts'
import type { BlockEffects, Effects } from './types.ts'

/** The chain as staged: the durable one up to `kept`, then `pending`. */
export type StagedChain = {
  /** Durable blocks above this number are undone. */
  readonly kept: () => bigint
  /** Blocks to insert, oldest first, and those that came and went before they were durable. */
  readonly pending: () => readonly BlockRecord[]
  readonly orphaned: () => readonly BlockRecord[]
  readonly tip: () => Head | undefined
  /** What is known at a block of the chain. */
  readonly headAt: (block: BlockRef) => Head | undefined
  readonly finalized: () => BlockRef | undefined
  /** Blocks at or below cannot be undone. It never falls, so the answer does not depend on when pruning ran. */
  readonly floor: () => bigint
  /**
   * The pre-images of the newest blocks, newest block first, each in its own order.
   * @throws UndoTooDeepError, EffectsOutOfOrderError
   */
  readonly undone: (
    refs: readonly BlockRef[],
  ) => { readonly block: BlockRef; readonly values: StoredValue[] }[]
  /** Checks effects whole, and returns what carries them out; nothing has changed until that is called. */
  readonly plan: (effects: Effects) => {
    readonly undone: readonly StoredValue[][]
    readonly accept: () => void
  }
  /** Everything staged is durable. */
  readonly settle: () => void
}

/** Hash before the first block, 32 zero bytes. */
export const emptyHash: Uint8Array = new Uint8Array(32)

/**
 * The running hash over canonical decisions: sha256(previous ‖ block hash ‖ sha256(decisions)). It is kept with each
 * block, so an undone block takes its own share with it.
 */
export function nextDecisionsHash(
  previous: Uint8Array,
  blockHash: Uint8Array,
  decisions: Uint8Array,
): Uint8Array {
  return digest(
    'sha256',
    Buffer.concat([previous, blockHash, digest('sha256', decisions, 'buffer')]),
    'buffer',
  )
}

/** Follows the chain ahead of the durable one, from what is durable now. */
export function createStagedChain(
  options: {
    readonly chain: ChainTables
    /** Blocks below the tip that can be undone. */
    readonly undoDepth: number
    readonly finalized: BlockRef | undefined
    readonly floor: bigint
  },
  { logger }: { readonly logger: Logger },
): StagedChain {
  const { chain } = options
  const undoDepth = BigInt(options.undoDepth)
  let tip = chain.tip()
  let kept = tip?.block.number ?? -1n
  let pending: BlockRecord[] = []
  let orphaned: BlockRecord[] = []
  let finalized = options.finalized
  let floor = options.floor

  function undone(refs: readonly BlockRef[]) {
    return refs.map((ref, place) => {
      if (ref.number <= floor) {
        const isFinal = finalized !== undefined && ref.number <= finalized.number
        const why = isFinal
          ? `block ${finalized?.number} is finalized`
          : `undo is kept for ${undoDepth} blocks`
        throw new UndoTooDeepError(ref, floor + 1n, why)
      }
      const record = pending.at(-1 - place)
      const number = kept - BigInt(place - pending.length)
      const held = record?.block ?? chain.canonical(number)
      const blob = record?.undo ?? chain.undo(number)
      if (held === undefined || blob === undefined) {
        throw new UndoTooDeepError(ref, number + 1n, 'the blocks kept here begin above it')
      }
      if (held.number !== ref.number || held.hash !== ref.hash) {
        throw new EffectsOutOfOrderError(
          `Block ${ref.number} ${ref.hash} is to be undone, but ${held.number} ${held.hash} is the newest one left`,
        )
      }
      return { block: held, values: decodeValues(blob) }
    })
  }

  function headBelow(count: number): Head | undefined {
    if (count === 0) return tip
    const record = pending.at(-1 - count)
    return record ?? chain.head(kept - BigInt(Math.max(0, count - pending.length)))
  }

  function canonical(number: bigint): BlockRef | undefined {
    const first = pending[0]?.block.number
    if (first !== undefined && number >= first) return pending[Number(number - first)]?.block
    return number <= kept ? chain.canonical(number) : undefined
  }

  function adoptFinalized(candidate: BlockRef | undefined): void {
    if (candidate !== undefined && candidate.number > (finalized?.number ?? -1n)) {
      const ours = canonical(candidate.number)
      if (ours === undefined || ours.hash === candidate.hash) finalized = candidate
      else
        logger.warn(
          { finalized: candidate, ours },
          'Ignored a finalized block that is not on the followed chain',
        )
    }
    // Finality ahead of the tip proves nothing about blocks that a reorg under way may still take back.
    if (finalized !== undefined && finalized.number > floor) {
      if (canonical(finalized.number)?.hash === finalized.hash) floor = finalized.number
    }
  }

  return {
    kept: () => kept,
    pending: () => pending,
    orphaned: () => orphaned,
    tip: () => tip,
    headAt: ({ number, hash }) => {
      const first = pending[0]?.block.number
      const isPending = first !== undefined && number >= first
      const head = isPending
        ? pending[Number(number - first)]
        : number <= kept
          ? chain.head(number)
          : undefined
      return head?.block.hash === hash ? head : undefined
    },
    finalized: () => finalized,
    floor: () => floor,
    undone,
    plan: (effects) => {
      const taken = undone(effects.undo)
      const base = headBelow(effects.undo.length)
      const records: BlockRecord[] = []
      let previous = base
      for (const block of effects.apply) {
        const record = createRecord(block, previous)
        records.push(record)
        previous = record
      }
      return {
        undone: taken.map(({ values }) => values),
        accept: () => {
          const fromPending = Math.min(taken.length, pending.length)
          orphaned.push(...pending.splice(pending.length - fromPending))
          kept -= BigInt(taken.length - fromPending)
          pending.push(...records)
          tip = previous
          if (tip !== undefined && tip.block.number - undoDepth > floor) floor = tip.block.number - undoDepth
          adoptFinalized(effects.finalized)
        },
      }
    },
    settle: () => {
      kept = tip?.block.number ?? -1n
      pending = []
      orphaned = []
    },
  }
}

function createRecord(effects: BlockEffects, previous: Head | undefined): BlockRecord {
  const { block, parent } = effects
  const follows = previous?.block.hash === parent.hash && previous.block.number === parent.number
  if ((previous !== undefined && !follows) || block.number !== parent.number + 1n) {
    const tip = previous === undefined ? 'nothing' : `${previous.block.number} ${previous.block.hash}`
    throw new EffectsOutOfOrderError(
      `Block ${block.number} ${block.hash} with parent ${parent.number} ${parent.hash} cannot follow ${tip}`,
    )
  }
  if (effects.transactionHashes.length % 32 !== 0) {
    throw new RangeError(`block ${block.number}: ${effects.transactionHashes.length} bytes of 32-byte hashes`)
  }
  const wrong = effects.signatures.find((signature) => signature.length !== 64)
  if (wrong !== undefined) {
    throw new RangeError(`block ${block.number}: a signature of ${wrong.length} bytes, 64 expected`)
  }
  return {
    block,
    parent,
    timestamp: effects.timestamp,
    totals: effects.totals,
    latticeHash: effects.latticeHash,
    decisionsHash: nextDecisionsHash(
      previous?.decisionsHash ?? emptyHash,
      hashToBytes(block.hash),
      effects.decisions,
    ),
    decisions: effects.decisions,
    results: effects.results,
    transactionHashes: effects.transactionHashes,
    undo: encodePreImages(effects.writes),
    signatures: Buffer.concat(effects.signatures),
  }
}
