import type { DatabaseSync } from 'node:sqlite'

/**
 * Look-up by transaction hash without a row a transaction. Blocks come in segments of 256; a complete segment is 64
 * blobs, one for each value of a hash's top six bits, of sorted entries: the hash's first four bytes (big-endian) and
 * the block's place in the segment, 5 bytes a transaction. The transaction's place is then found in the block's own
 * hashes, which also shows whether the four bytes lied. Blocks after the last complete segment are searched directly.
 */
export type TransactionIndex = {
  /** Indexes the segments completed by blocks `from` to `tip`. Inside a transaction. */
  readonly complete: (from: bigint, tip: bigint) => void
  /** Drops the segments that are no longer complete once blocks above `kept` are gone. Inside a transaction. */
  readonly drop: (kept: bigint, tip: bigint) => void
  /** Drops the segments whose blocks are all at or below `limit`. Inside a transaction. */
  readonly prune: (limit: bigint) => void
  /** Canonical blocks that hold the transaction, newest segment last. */
  readonly find: (hash: Uint8Array, tip: bigint) => { readonly number: bigint; readonly index: number }[]
}

export const segmentBlocks = 256
const buckets = 64
export const entryBytes = 5
/** Row id = bucket × this + segment: a bucket's segments lie together, and blocks up to 2^40 fit. */
const bucketStride = 2 ** 32

/** Prepares table `transaction_index`. */
export function createTransactionIndex(database: DatabaseSync): TransactionIndex {
  const insert = database.prepare('INSERT INTO transaction_index VALUES (?, ?)')
  const remove = database.prepare('DELETE FROM transaction_index WHERE id = ?')
  const lowest = database.prepare('SELECT min(id) AS id FROM transaction_index')
  const selectBucket = database.prepare(
    'SELECT id, entries FROM transaction_index WHERE id >= ? AND id < ? ORDER BY id LIMIT 64',
  )
  const selectHashes = database.prepare(
    'SELECT number, hashes FROM transactions WHERE number >= ? AND number < ? ORDER BY number',
  )
  const selectOne = database.prepare('SELECT hashes FROM transactions WHERE number = ?')

  function build(segment: number): void {
    const start = segment * segmentBlocks
    const rows = selectHashes.all(start, start + segmentBlocks) as { number: number; hashes: Uint8Array }[]
    let count = 0
    for (const { hashes } of rows) count += hashes.length / 32
    // prefix × 256 + place is below 2^40: exact as a float, and floats sort natively.
    const keys = new Float64Array(count)
    let next = 0
    for (const { number, hashes } of rows) {
      for (let at = 0; at < hashes.length; at += 32)
        keys[next++] = prefixAt(hashes, at) * 256 + (number - start)
    }
    keys.sort()
    const entries = Buffer.allocUnsafe(count * entryBytes)
    const ends = new Uint32Array(buckets)
    for (const [place, key] of keys.entries()) {
      entries.writeUIntBE(key, place * entryBytes, 5)
      ends[Math.floor(key / 2 ** 34)] = place + 1
    }
    let from = 0
    for (let bucket = 0; bucket < buckets; bucket++) {
      const end = Math.max(ends[bucket]!, from)
      insert.run(bucket * bucketStride + segment, entries.subarray(from * entryBytes, end * entryBytes))
      from = end
    }
  }

  function removeSegment(segment: number): void {
    for (let bucket = 0; bucket < buckets; bucket++) remove.run(bucket * bucketStride + segment)
  }

  return {
    complete: (from, tip) => {
      for (let segment = segmentOf(from); segment < segmentOf(tip + 1n); segment++) build(segment)
    },
    drop: (kept, tip) => {
      for (let segment = segmentOf(kept + 1n); segment < segmentOf(tip + 1n); segment++)
        removeSegment(segment)
    },
    prune: (limit) => {
      const end = segmentOf(limit + 1n)
      // Bucket 0 has the lowest ids, so its first segment is the oldest one.
      for (;;) {
        const id = lowest.get()?.id as number | null | undefined
        if (id === null || id === undefined || id >= end) return
        removeSegment(id)
      }
    },
    find: (hash, tip) => {
      const found: { number: bigint; index: number }[] = []
      const check = (number: number, hashes: Uint8Array | undefined) => {
        const index = hashes === undefined ? -1 : transactionAt(hashes, hash)
        if (index >= 0) found.push({ number: BigInt(number), index })
      }
      const first = (hash[0]! >>> 2) * bucketStride
      const prefix = prefixAt(hash, 0)
      for (let from = first; ; ) {
        const rows = selectBucket.all(from, first + bucketStride) as { id: number; entries: Uint8Array }[]
        for (const { id, entries } of rows) {
          for (const place of placesOf(entries, prefix)) {
            const number = (id - first) * segmentBlocks + place
            check(number, selectOne.get(number)?.hashes as Uint8Array | undefined)
          }
        }
        if (rows.length < 64) break
        from = rows.at(-1)!.id + 1
      }
      const rest = segmentOf(tip + 1n) * segmentBlocks
      for (const row of selectHashes.iterate(rest, rest + segmentBlocks)) {
        check(row.number as number, row.hashes as Uint8Array)
      }
      return found
    },
  }
}

/** The place of a 32-byte hash in a column of hashes; -1 when it is not there. */
export function transactionAt(hashes: Uint8Array, hash: Uint8Array): number {
  const column = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength)
  for (let at = column.indexOf(hash); at >= 0; at = column.indexOf(hash, at + 1))
    if (at % 32 === 0) return at / 32
  return -1
}

function segmentOf(number: bigint): number {
  return Math.floor(Number(number) / segmentBlocks)
}

function prefixAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 2 ** 24 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!)
}

/** Places in the segment of the entries with a prefix, each once: binary search, then as far as it repeats. */
function placesOf(entries: Uint8Array, prefix: number): Set<number> {
  let low = 0
  let high = entries.length / entryBytes
  while (low < high) {
    const middle = (low + high) >>> 1
    if (prefixAt(entries, middle * entryBytes) < prefix) low = middle + 1
    else high = middle
  }
  const places = new Set<number>()
  for (let at = low * entryBytes; at < entries.length && prefixAt(entries, at) === prefix; at += entryBytes) {
    places.add(entries[at + 4]!)
  }
  return places
}
