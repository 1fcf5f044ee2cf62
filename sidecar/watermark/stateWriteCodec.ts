import { type StateTable, type StateWrite, stateTables } from '../notification/stateWrite.ts'
import { keyString } from './keyString.ts'

/**
 * One value of one key, as stored in `undo` (the pre-image) and in `state_log` (the new value):
 * table (1 byte, top bit set when the key is absent), key length (1 byte), value length (4 bytes LE, unless absent), key,
 * value.
 */
export type StoredValue = {
  readonly table: number
  readonly key: string
  /** undefined: the key is absent. */
  readonly value: Uint8Array | undefined
}

const absent = 0x80
const tableCodes = new Map<StateTable, number>(stateTables.map((table, code) => [table, code]))

/** The stored code of a table: its place in `stateTables`. */
export function tableCode(table: StateTable): number {
  return tableCodes.get(table)!
}

/**
 * The pre-images of a block's writes, in their order.
 * @throws RangeError for a key longer than 255 bytes
 */
export function encodePreImages(writes: readonly StateWrite[]): Buffer {
  let size = 0
  for (const { key, before } of writes) size += entrySize(key.length, before)
  const blob = Buffer.allocUnsafe(size)
  let at = 0
  for (const { table, key, before } of writes) {
    at = writeHead(blob, at, tableCode(table), key.length, before)
    blob.set(key, at)
    at += key.length
    if (before === undefined) continue
    blob.set(before, at)
    at += before.length
  }
  return blob
}

/**
 * The values of `tables[code]`, keyed by `keyString`, as one blob. The maps' values are replaced by views on it, so that
 * nobody else's bytes are needed any longer.
 */
export function encodeValues(tables: readonly Map<string, Uint8Array | undefined>[]): Buffer {
  let size = 0
  for (const values of tables) for (const [key, value] of values) size += entrySize(key.length, value)
  const blob = Buffer.allocUnsafe(size)
  let at = 0
  for (const [code, values] of tables.entries()) {
    for (const [key, value] of values) {
      at = writeHead(blob, at, code, key.length, value)
      blob.write(key, at, 'latin1')
      at += key.length
      if (value === undefined) continue
      blob.set(value, at)
      values.set(key, viewOf(blob, at, value.length))
      at += value.length
    }
  }
  return blob
}

/** Reads a blob of either kind, in its order. Values are views on the blob. Throws a RangeError when it is cut short. */
export function decodeValues(blob: Uint8Array): StoredValue[] {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  const entries: StoredValue[] = []
  let at = 0
  while (at < blob.length) {
    const head = view.getUint8(at)
    const keyLength = view.getUint8(at + 1)
    const isAbsent = (head & absent) !== 0
    const valueLength = isAbsent ? 0 : view.getUint32(at + 2, true)
    const keyAt = at + (isAbsent ? 2 : 6)
    at = keyAt + keyLength + valueLength
    if (at > blob.length) throw new RangeError(`state writes end at byte ${at} of ${blob.length}`)
    const key = keyString(blob, keyAt, keyAt + keyLength)
    entries.push({
      table: head & ~absent,
      key,
      value: isAbsent ? undefined : viewOf(blob, keyAt + keyLength, valueLength),
    })
  }
  return entries
}

/** `subarray` of a Buffer costs several times as much. */
function viewOf(blob: Uint8Array, at: number, length: number): Uint8Array {
  return new Uint8Array(blob.buffer, blob.byteOffset + at, length)
}

function entrySize(keyLength: number, value: Uint8Array | undefined): number {
  if (keyLength > 255) throw new RangeError(`a state key of ${keyLength} bytes; at most 255 fit`)
  return (value === undefined ? 2 : 6 + value.length) + keyLength
}

function writeHead(
  blob: Buffer,
  at: number,
  code: number,
  keyLength: number,
  value: Uint8Array | undefined,
): number {
  blob[at + 1] = keyLength
  if (value === undefined) {
    blob[at] = code | absent
    return at + 2
  }
  blob[at] = code
  blob[at + 2] = value.length & 0xff
  blob[at + 3] = (value.length >>> 8) & 0xff
  blob[at + 4] = (value.length >>> 16) & 0xff
  blob[at + 5] = value.length >>> 24
  return at + 6
}
