/**
 * Reads Solana's compact-u16 at `offset`: 7 bits a byte, low bits first, at most 3 bytes, shortest form only.
 * Returns `value * 4 + length` (length 1 to 3), so that reading allocates nothing; -1 when the bytes end too early,
 * -2 when they are no compact-u16.
 */
export function readCompactU16(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset]
  if (first === undefined) return -1
  if (first < 0x80) return first * 4 + 1
  const second = bytes[offset + 1]
  if (second === undefined) return -1
  if (second === 0) return -2
  if (second < 0x80) return ((first & 0x7f) | (second << 7)) * 4 + 2
  const third = bytes[offset + 2]
  if (third === undefined) return -1
  // 16 bits: two are left for the third byte, and a zero there would not be the shortest form.
  if (third === 0 || third > 3) return -2
  return ((first & 0x7f) | ((second & 0x7f) << 7) | (third << 14)) * 4 + 3
}
