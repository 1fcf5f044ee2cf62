/**
 * The lowest block from which on the node can read every block up to `head`, by bisection: nodes prune from the bottom. One or
 * two calls where nothing is pruned. Genesis counts as there when block 1 is.
 */
export async function findOldestBlock(
  head: bigint,
  isReadable: (number: bigint) => Promise<boolean>,
): Promise<bigint> {
  if (head === 0n || (await isReadable(1n))) return 0n
  let gone = 1n
  let there = head
  while (there - gone > 1n) {
    const middle = (gone + there) / 2n
    if (await isReadable(middle)) there = middle
    else gone = middle
  }
  return there
}
