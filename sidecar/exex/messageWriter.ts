import { WireError } from './errors.ts'

// protobufjs writes a message into a buffer it grows and copies; blocks and the frames around them are big enough for
// that to show (`bench/micro/decode/codecs.ts`). Here the size is known first, so there is one allocation and one copy.

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/** Bytes that field `field` takes as an unsigned number. proto3 leaves zero out. */
export function uintSize(field: number, value: bigint | number): number {
  if (value < 0 || value >= 2n ** 64n)
    throw new WireError(`field ${field}`, 'an unsigned number of 64 bits', `${value}`)
  if (!value) return 0
  if (value > MAX_SAFE) return varintSize(field << 3) + Math.ceil(value.toString(2).length / 7)
  return varintSize(field << 3) + varintSize(Number(value))
}

/** Bytes that field `field` takes as bytes or text of `length`. proto3 leaves empty ones out. */
export function bytesSize(field: number, length: number): number {
  return length === 0 ? 0 : messageSize(field, length)
}

/** Bytes that field `field` takes as a message of `length`: there even when it is empty. */
export function messageSize(field: number, length: number): number {
  return varintSize(field << 3) + varintSize(length) + length
}

/** Writes the fields of one message into a buffer of exactly the size given. */
export class MessageWriter {
  readonly buffer: Buffer
  #at = 0

  /** `reused`: a buffer of at least `size` bytes to write into instead of a new one. */
  constructor(size: number, reused?: Buffer) {
    // Not from Node's pool: blocks live long, and would keep a pool's other users alive.
    this.buffer = reused === undefined ? Buffer.allocUnsafeSlow(size) : reused.subarray(0, size)
  }

  uint(field: number, value: bigint | number): void {
    if (!value) return
    this.#varint(field << 3)
    if (value <= MAX_SAFE) {
      this.#varint(Number(value))
      return
    }
    let rest = BigInt(value)
    for (; rest >= 0x80n; rest >>= 7n) this.buffer[this.#at++] = Number(rest & 0x7fn) | 0x80
    this.buffer[this.#at++] = Number(rest)
  }

  bytes(field: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.open(field, bytes.length)
    this.raw(bytes)
  }

  /** Bytes that are already encoded. */
  raw(bytes: Uint8Array): void {
    this.buffer.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** The head of a nested message of `length` bytes; its fields follow. */
  open(field: number, length: number): void {
    this.#varint((field << 3) | 2)
    this.#varint(length)
  }

  /** The message, whole. Throws when its parts were not what was announced. */
  finish(): Buffer {
    if (this.#at !== this.buffer.length) {
      throw new WireError('message', `${this.buffer.length} bytes, as announced`, `${this.#at}`)
    }
    return this.buffer
  }

  #varint(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.buffer[this.#at++] = (rest % 0x80) | 0x80
    this.buffer[this.#at++] = rest
  }
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}
