import { Base58Error } from './errors.ts'

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/**
 * Reads base58 text, as people write Solana keys, into exactly `length` bytes. For configuration and constants:
 * it is quadratic, so the data path stays with bytes.
 * @throws {Base58Error}
 */
export function decodeBase58(text: string, length = 32): Uint8Array {
  const bytes = new Uint8Array(length)
  for (const character of text) {
    let carry = alphabet.indexOf(character)
    if (carry < 0) throw new Base58Error({ text, expectedBytes: length })
    for (let index = length - 1; index >= 0; index--) {
      carry += bytes[index]! * 58
      bytes[index] = carry & 0xff
      carry >>= 8
    }
    if (carry !== 0) throw new Base58Error({ text, expectedBytes: length })
  }
  // Leading zero bytes are written as one '1' each: anything else names a value of another length.
  const zeros = bytes.findIndex((byte) => byte !== 0)
  const ones = text.search(/[^1]/)
  if ((zeros < 0 ? length : zeros) !== (ones < 0 ? text.length : ones)) {
    throw new Base58Error({ text, expectedBytes: length })
  }
  return bytes
}

/** Writes bytes as base58, the way Solana's RPC names signatures and keys. */
export function encodeBase58(bytes: Uint8Array): string {
  const digits: number[] = []
  for (const byte of bytes) {
    let carry = byte
    for (let index = 0; index < digits.length; index++) {
      carry += digits[index]! << 8
      digits[index] = carry % 58
      carry = Math.floor(carry / 58)
    }
    for (; carry > 0; carry = Math.floor(carry / 58)) digits.push(carry % 58)
  }
  const zeros = bytes.findIndex((byte) => byte !== 0)
  const ones = zeros < 0 ? bytes.length : zeros
  return (
    '1'.repeat(ones) +
    digits
      .reverse()
      .map((digit) => alphabet[digit]!)
      .join('')
  )
}
