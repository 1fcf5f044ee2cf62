import { createHash } from 'node:crypto'
import type { Hash } from 'viem'
import type { Block, BlockRef, Notification, NotificationFacts } from '../../sidecar/notification/types.ts'

/** Chains are built by verbs: `chain(3)` is genesis and three blocks, `fork(base, 2, 'b')` two others on `base`. */

const EMPTY = new Uint8Array(0)

export const noTransactions: Block['transactions'] = {
  count: 0,
  hashes: EMPTY,
  senders: EMPTY,
  to: EMPTY,
  kinds: EMPTY,
  statuses: EMPTY,
  selectors: EMPTY,
  values: EMPTY,
  nonces: EMPTY,
  gasLimits: new Uint32Array(0),
  gasUsed: new Uint32Array(0),
  gasPrices: EMPTY,
  inputEnds: new Uint32Array(0),
  inputs: EMPTY,
  logEnds: new Uint32Array(0),
  logs: EMPTY,
}

export function hashOf(text: string): Hash {
  return `0x${createHash('sha256').update(text).digest('hex')}`
}

export const genesis: BlockRef = { number: 0n, hash: hashOf('genesis') }

/** `count` empty blocks on `parent`; blocks with another `label` are other blocks. */
export function fork(parent: BlockRef, count: number, label = 'a'): Block[] {
  const blocks: Block[] = []
  let last = parent
  for (let i = 0; i < count; i++) {
    const ref = { number: last.number + 1n, hash: hashOf(`${last.hash} ${label}`) }
    blocks.push({
      ref,
      parent: last,
      timestamp: 1_700_000_000n + ref.number,
      gasLimit: 30_000_000n,
      gasUsed: 0n,
      baseFeePerGas: 1n,
      origin: undefined,
      transactions: noTransactions,
    })
    last = ref
  }
  return blocks
}

export const refs = (blocks: readonly Block[]): BlockRef[] => blocks.map((block) => block.ref)

let sequence = 0n

/** Facts of a notification whose node stands at `head`. */
export function facts(head: BlockRef, finalized?: BlockRef): NotificationFacts {
  return {
    epoch: 'e',
    sequence: sequence++,
    head,
    safe: undefined,
    finalized,
    source: 'live',
    nodeTimeMs: 0,
    receivedTimeMs: 0,
    bytes: 0,
  }
}

export function committed(blocks: readonly Block[], finalized?: BlockRef): Notification {
  return { kind: 'committed', blocks, ...facts(blocks[blocks.length - 1]!.ref, finalized) }
}

export function reorged(
  undone: readonly Block[],
  blocks: readonly Block[],
  finalized?: BlockRef,
): Notification {
  return { kind: 'reorged', undo: refs(undone), blocks, ...facts(blocks[blocks.length - 1]!.ref, finalized) }
}

export function reverted(undone: readonly Block[], finalized?: BlockRef): Notification {
  const { parent } = undone[0]!
  return { kind: 'reverted', undo: refs(undone), parent, ...facts(parent, finalized) }
}
