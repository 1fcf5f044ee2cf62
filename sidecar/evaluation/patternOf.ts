import { type Block, CONTRACT_CREATION } from '../notification/types.ts'
import type { EnvelopeFacts } from '../router/types.ts'

/**
 * The name of a transaction's pattern, for baselines and slices: program and discriminator of an envelope, else contract
 * and selector. As in the router, plain transfers are one pattern and creations differ by their first bytes only.
 */
export function patternOf({ transactions }: Block, row: number, facts: EnvelopeFacts | undefined): string {
  if (facts !== undefined) return `envelope ${hexOf(facts.pattern)}`
  const { kinds, inputEnds, selectors, to } = transactions
  const selector = hexOf(selectors.subarray(4 * row, 4 * row + 4))
  if ((kinds[row]! & CONTRACT_CREATION) !== 0) return `creation ${selector}`
  const start = row === 0 ? 0 : inputEnds[row - 1]!
  if (inputEnds[row] === start) return 'transfer'
  return `${hexOf(to.subarray(20 * row, 20 * row + 20))} ${selector}`
}

const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
