/**
 * The first block to apply. It is resolved once, bound to the data directory, and used by every later start: `head`
 * would be another block each time.
 * @param start as configured: `genesis` is block 1 (genesis itself has no transactions), `head` the block after the
 *   node's head, a number that very block
 * @param head number of the node's head
 * @param stored the start the data directory is bound to, if any (`readIdentity`): it answers `head`
 */
export function resolveStart(start: 'genesis' | 'head' | bigint, head: bigint, stored?: bigint): bigint {
  if (start === 'genesis') return 1n
  if (start === 'head') return stored ?? head + 1n
  return start
}
