import type { Address } from 'viem'
import { type Block, CONTRACT_CREATION, EvmStatus } from '../notification/types.ts'
import { parsePayload } from './parsePayload.ts'
import type { Envelope } from './types.ts'

export type ReadEnvelopesOptions = {
  /** The address whose calls carry Solana transactions (`svm.router`). */
  readonly router: Address
}

/** ASCII `SVM`: what the calldata of an envelope starts with. */
const PREFIX = [0x53, 0x56, 0x4d] as const

/**
 * The envelopes of a block, by transaction index, ascending: successful calls to the router address whose input
 * starts with `SVM`. They are views on the block's input column. Never throws for what a transaction holds.
 */
export function readEnvelopes(block: Block, { router }: ReadEnvelopesOptions): Map<number, Envelope> {
  const envelopes = new Map<number, Envelope>()
  const { count, to, kinds, statuses, selectors, inputs, inputEnds, values } = block.transactions
  const address = Buffer.from(router.slice(2), 'hex')
  for (let index = 0; index < count; index++) {
    // The prefix first: of everything looked at here it is the rarest, and it is one read into a small column.
    const selector = index * 4
    if (selectors[selector] !== PREFIX[0]) continue
    if (selectors[selector + 1] !== PREFIX[1] || selectors[selector + 2] !== PREFIX[2]) continue
    if (statuses[index] !== EvmStatus.succeeded || (kinds[index]! & CONTRACT_CREATION) !== 0) continue
    if (!isAt(to, index * 20, address)) continue
    const start = index === 0 ? 0 : inputEnds[index - 1]!
    const end = inputEnds[index]!
    // Three bytes are certain by the selector, unless zero-padding were to make them: `S` is not zero.
    envelopes.set(
      index,
      parsePayload(inputs.subarray(start + PREFIX.length, end), readWei(values, index * 32)),
    )
  }
  return envelopes
}

function isAt(column: Uint8Array, offset: number, bytes: Uint8Array): boolean {
  // From the end: the default address starts with zeros, as does that of many a precompile.
  for (let index = bytes.length - 1; index >= 0; index--) {
    if (column[offset + index] !== bytes[index]) return false
  }
  return true
}

function readWei(values: Uint8Array, offset: number): bigint {
  const view = new DataView(values.buffer, values.byteOffset + offset, 32)
  return (
    (view.getBigUint64(0) << 192n) |
    (view.getBigUint64(8) << 128n) |
    (view.getBigUint64(16) << 64n) |
    view.getBigUint64(24)
  )
}
