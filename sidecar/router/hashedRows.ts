import type { StateWrite } from '../notification/stateWrite.ts'

/** Rows that share a bucket: of these the one learnt least recently gives way to a newcomer. */
const WAYS = 4
/** The words every row begins with; a tag of 0 is an empty row. */
const TAG = 0
export const LEARNT = 1
/** Bytes of a key: the table's kind, then the row in three. */
const KEY_BYTES = 4
const KEY_STRIDE = 8

/**
 * Rows of 32-bit words by hash, in a fixed amount of memory: what is learnt of things there is no end of, such as
 * payers. A row belongs to one thing at a time: another one of the same bucket and tag would have to be looked for among
 * 2^(bits - 2 + 32) keys, so nobody can spoil what is known of someone else; at worst it is forgotten.
 *
 * Words 0 and 1 are the tag and the block learnt last; the rest is the user's, as floats.
 */
export class HashedRows {
  readonly floats: Float32Array
  readonly words: Uint32Array
  /** Words a row. */
  readonly width: number
  private readonly kind: number
  private readonly mask: number
  /** Rows changed since the last flush, in order, and what they were. */
  private dirty = new Int32Array(256)
  private dirtyCount = 0
  private before: Uint32Array
  private readonly isDirty: Uint8Array

  /** 2^`bits` rows of `width` words; `kind` is the first byte of the rows' keys. */
  constructor(kind: number, bits: number, width: number) {
    this.kind = kind
    this.width = width
    this.mask = (1 << bits) / WAYS - 1
    this.words = new Uint32Array((1 << bits) * width)
    this.floats = new Float32Array(this.words.buffer)
    this.isDirty = new Uint8Array(1 << bits)
    this.before = new Uint32Array(this.dirty.length * width)
  }

  /** The word at which the row of a thing begins, or -1: nothing is known of it. */
  find(bucket: number, tag: number): number {
    const { words, width } = this
    const first = (bucket & this.mask) * WAYS * width
    for (let at = first, end = first + WAYS * width; at < end; at += width) {
      if (words[at + TAG] === tag) return at
    }
    return -1
  }

  /** As `find`, to be changed: where it has none the thing gets a row of zeros. Marks it as learnt at `block`. */
  claim(bucket: number, tag: number, block: number): number {
    const { words, width } = this
    let at = this.find(bucket, tag)
    if (at >= 0) this.touch(at)
    else {
      at = this.oldest((bucket & this.mask) * WAYS * width)
      this.touch(at)
      words.fill(0, at, at + width)
      words[at + TAG] = tag
    }
    words[at + LEARNT] = block
    return at
  }

  /** Appends a write for every row changed since the last flush, in the order of their first change. */
  flush(writes: StateWrite[]): void {
    const { dirtyCount, dirty, width, words, before } = this
    if (dirtyCount === 0) return
    const rowBytes = width * 4
    const stride = KEY_STRIDE + 2 * rowBytes
    const buffer = new ArrayBuffer(dirtyCount * stride)
    const bytes = new Uint8Array(buffer)
    const all = new Uint32Array(buffer)
    for (let i = 0; i < dirtyCount; i++) {
      const row = dirty[i]!
      const start = i * stride
      const old = (start + KEY_STRIDE) / 4
      bytes[start] = this.kind
      bytes[start + 1] = row >>> 16
      bytes[start + 2] = (row >>> 8) & 0xff
      bytes[start + 3] = row & 0xff
      for (let word = 0; word < width; word++) {
        all[old + word] = before[i * width + word]!
        all[old + width + word] = words[row * width + word]!
      }
      writes.push({
        table: 'model',
        key: new Uint8Array(buffer, start, KEY_BYTES),
        before: all[old + TAG] === 0 ? undefined : new Uint8Array(buffer, start + KEY_STRIDE, rowBytes),
        after: new Uint8Array(buffer, start + KEY_STRIDE + rowBytes, rowBytes),
      })
      this.isDirty[row] = 0
    }
    this.dirtyCount = 0
  }

  /** Puts a stored row, or takes it away; false when the key or the value is none of this table's. */
  put(key: Uint8Array, value: Uint8Array | undefined): boolean {
    const row = (key[1]! << 16) | (key[2]! << 8) | key[3]!
    const rowBytes = this.width * 4
    if (key.length !== KEY_BYTES || row >= this.isDirty.length) return false
    if (value === undefined) this.words.fill(0, row * this.width, (row + 1) * this.width)
    else if (value.length !== rowBytes) return false
    else new Uint8Array(this.words.buffer, row * rowBytes, rowBytes).set(value)
    return true
  }

  private oldest(first: number): number {
    const { words, width } = this
    let found = first
    for (let at = first, end = first + WAYS * width; at < end; at += width) {
      if (words[at + TAG] === 0) return at
      if (words[at + LEARNT]! < words[found + LEARNT]!) found = at
    }
    return found
  }

  private touch(at: number): void {
    const { width } = this
    const row = at / width
    if (this.isDirty[row] === 1) return
    this.isDirty[row] = 1
    if (this.dirtyCount === this.dirty.length) {
      const dirty = new Int32Array(this.dirtyCount * 2)
      dirty.set(this.dirty)
      this.dirty = dirty
      const before = new Uint32Array(dirty.length * width)
      before.set(this.before)
      this.before = before
    }
    this.dirty[this.dirtyCount] = row
    for (let word = 0; word < width; word++) {
      this.before[this.dirtyCount * width + word] = this.words[at + word]!
    }
    this.dirtyCount++
  }
}
