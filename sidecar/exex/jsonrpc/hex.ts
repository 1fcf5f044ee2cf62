/**
 * JSON-RPC hex straight to bytes and numbers, without a BigInt or a regular expression per field: a block of 200
 * transactions has some 2 000 of them. Every function throws `HexFault`, to which the caller adds where it was.
 */
export class HexFault extends Error {
  readonly field: string
  readonly expected: string
  readonly actual: unknown

  constructor(field: string, expected: string, actual: unknown) {
    super(`${field}: expected ${expected}`)
    this.name = 'HexFault'
    this.field = field
    this.expected = expected
    this.actual = actual
  }
}

const INVALID = 0x80
/** Value of an ASCII hex digit, else `INVALID`: one or-ed flag tells at the end whether any digit was bad. */
const nibbles = new Uint8Array(256).fill(INVALID)
for (let digit = 0; digit < 16; digit++) {
  nibbles[digit.toString(16).charCodeAt(0)] = digit
  nibbles[digit.toString(16).toUpperCase().charCodeAt(0)] = digit
}

/** From this many bytes on, Node's native decoder beats the loop. */
const NATIVE_FROM_BYTES = 48

/** Writes exactly `length` bytes of hex at `offset`. */
export function writeBytes(
  target: Buffer,
  offset: number,
  length: number,
  value: unknown,
  field: string,
): void {
  if (!isHex(value) || value.length !== 2 + 2 * length)
    throw new HexFault(field, `${length} bytes of hex`, value)
  if (length >= NATIVE_FROM_BYTES) {
    // The native decoder stops at the first bad digit and says how far it came, but sees the low byte of a character only.
    const isAscii = Buffer.byteLength(value) === value.length
    if (isAscii && target.write(value.slice(2), offset, length, 'hex') === length) return
    throw new HexFault(field, `${length} bytes of hex`, value)
  }
  let flags = 0
  for (let index = 0, at = 2; index < length; index++, at += 2) {
    const high = value.charCodeAt(at)
    const low = value.charCodeAt(at + 1)
    const byte = (nibbles[high & 0xff]! << 4) | nibbles[low & 0xff]!
    // Bit 11: bad high digit; bit 7 is a digit's own, so the low one is looked at apart; above 8 bits: not ASCII.
    flags |= (byte & 0x800) | (nibbles[low & 0xff]! & INVALID) | ((high | low) & 0xff00)
    target[offset + index] = byte
  }
  if (flags !== 0) throw new HexFault(field, `${length} bytes of hex`, value)
}

/** Bytes in a hex string of any even length; its digits are checked when it is written. */
export function byteLength(value: unknown, field: string): number {
  if (!isHex(value) || value.length % 2 !== 0) throw new HexFault(field, 'hex of whole bytes', value)
  return (value.length - 2) / 2
}

/** Writes a quantity as `length` bytes, big-endian; throws when it is larger. */
export function writeBigEndian(
  target: Buffer,
  offset: number,
  length: number,
  value: unknown,
  field: string,
): void {
  const digits = quantityDigits(value, field)
  if (digits > 2 * length) throw new HexFault(field, `a quantity of at most ${length} bytes`, value)
  writeDigits(target, offset + length - 1, -1, digits, value as string, field)
}

/** Writes a quantity as `length` bytes, little-endian; a larger one is saturated to all ones. */
export function writeLittleEndianSaturated(
  target: Buffer,
  offset: number,
  length: number,
  value: unknown,
  field: string,
): void {
  const digits = quantityDigits(value, field)
  if (digits <= 2 * length) writeDigits(target, offset, 1, digits, value as string, field)
  else {
    readBigint(value, field)
    target.fill(0xff, offset, offset + length)
  }
}

/** Writes a quantity as `length` bytes, little-endian; throws when it is larger. */
export function writeLittleEndian(
  target: Buffer,
  offset: number,
  length: number,
  value: unknown,
  field: string,
): void {
  const digits = quantityDigits(value, field)
  if (digits > 2 * length) throw new HexFault(field, `a quantity of at most ${length} bytes`, value)
  writeDigits(target, offset, 1, digits, value as string, field)
}

/** A quantity as a number, saturated at 2^32 - 1. */
export function readUint32Saturated(value: unknown, field: string): number {
  quantityDigits(value, field)
  let result = 0
  let flags = 0
  const text = value as string
  for (let at = 2; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const nibble = nibbles[code & 0xff]!
    flags |= (nibble & INVALID) | (code & 0xff00)
    // A double grows inexact but never smaller again: enough to know that it is past the limit.
    result = result * 16 + nibble
  }
  if (flags !== 0) throw new HexFault(field, 'a hex quantity', value)
  return Math.min(result, 0xffff_ffff)
}

/** A quantity as a bigint of at most 256 bits: for the few fields a block has once. */
export function readBigint(value: unknown, field: string): bigint {
  if (typeof value !== 'string' || !/^0x0*[0-9a-fA-F]{1,64}$/.test(value))
    throw new HexFault(field, 'a hex quantity', value)
  return BigInt(value)
}

/** 32 bytes of hex, in lower case. */
export function readHash(value: unknown, field: string): `0x${string}` {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{64}$/.test(value))
    throw new HexFault(field, '32 bytes of hex', value)
  return value.toLowerCase() as `0x${string}`
}

function isHex(value: unknown): value is string {
  return typeof value === 'string' && value.length >= 2 && value.startsWith('0x')
}

/** Digits without leading zeros; 0 for zero. */
function quantityDigits(value: unknown, field: string): number {
  if (!isHex(value) || value.length === 2) throw new HexFault(field, 'a hex quantity', value)
  let first = 2
  while (first < value.length && value.charCodeAt(first) === 0x30) first++
  return value.length - first
}

function writeDigits(
  target: Buffer,
  offset: number,
  step: 1 | -1,
  digits: number,
  value: string,
  field: string,
): void {
  let flags = 0
  let position = offset
  // From the least significant digit on, two a byte.
  for (let at = value.length - 1, left = digits; left > 0; at -= 2, left -= 2, position += step) {
    const low = value.charCodeAt(at)
    const high = left > 1 ? value.charCodeAt(at - 1) : 0x30
    const lowNibble = nibbles[low & 0xff]!
    const highNibble = nibbles[high & 0xff]!
    flags |= ((lowNibble | highNibble) & INVALID) | ((low | high) & 0xff00)
    target[position] = (highNibble << 4) | lowNibble
  }
  if (flags !== 0) throw new HexFault(field, 'a hex quantity', value)
}
