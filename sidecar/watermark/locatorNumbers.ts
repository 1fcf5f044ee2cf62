/** Blocks below the tip that are all named; reorgs deeper than this cost a few blocks more than needed. */
const denseBlocks = 16n

/**
 * The heights of a locator, newest first: every one near the tip, then in doubling gaps, ending with `oldest`.
 * @example locatorNumbers(100n, 0n) // 100 … 85, 83, 79, 71, 55, 23, 0
 */
export function locatorNumbers(tip: bigint, oldest: bigint): bigint[] {
  const numbers: bigint[] = []
  let gap = 1n
  for (let number = tip; number > oldest; number -= gap) {
    numbers.push(number)
    if (tip - number >= denseBlocks - 1n) gap *= 2n
  }
  if (oldest <= tip) numbers.push(oldest)
  return numbers
}
