import type { Hash } from 'viem'

/** Canonical hashes by block number from 0 on: 32 bytes a block, and nothing else grows with the chain's length. */
export type HashStore = {
  set(number: bigint, hash: Hash): void
  get(number: bigint): Hash | undefined
  /** A view. The number must have been set. */
  bytes(number: bigint): Uint8Array
}

const perChunk = 4096

export function createHashStore(genesis: Hash): HashStore {
  const chunks: Buffer[] = []
  let length = 0
  const bytes = (number: bigint): Buffer => {
    const at = (Number(number) % perChunk) * 32
    return chunks[Math.floor(Number(number) / perChunk)]!.subarray(at, at + 32)
  }
  const set = (number: bigint, hash: Hash) => {
    if (number > length) throw new RangeError(`expected block ${length} at most, got ${number}`)
    // Known already: an old stretch generated again.
    if (number < length) return
    if (length % perChunk === 0) chunks.push(Buffer.alloc(32 * perChunk))
    length += 1
    bytes(number).write(hash.slice(2), 'hex')
  }
  set(0n, genesis)
  return {
    set,
    get: (number) => (number < 0n || number >= length ? undefined : `0x${bytes(number).toString('hex')}`),
    bytes,
  }
}
