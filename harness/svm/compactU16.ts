/** Solana's length prefix: seven bits a byte, low ones first. */
export function compactU16(value: number): Buffer {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff) {
    throw new RangeError(`expected an integer of 0 to 65535, got ${value}`)
  }
  if (value < 0x80) return Buffer.of(value)
  if (value < 0x4000) return Buffer.of((value & 0x7f) | 0x80, value >> 7)
  return Buffer.of((value & 0x7f) | 0x80, ((value >> 7) & 0x7f) | 0x80, value >> 14)
}
