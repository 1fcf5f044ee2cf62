const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** A 32-byte key in base58 as 0x and 64 hex digits; undefined when it is none. */
export function decodeKey(text: string): string | undefined {
  let value = 0n
  for (const character of text) {
    const digit = alphabet.indexOf(character)
    if (digit < 0) return undefined
    value = value * 58n + BigInt(digit)
  }
  const digits = value.toString(16)
  const zeros = /^1*/.exec(text)![0].length
  // Every leading zero byte is a 1: another number of them is another key.
  const bytes = value === 0n ? zeros : zeros + Math.ceil(digits.length / 2)
  return bytes === 32 ? `0x${digits.padStart(64, '0')}` : undefined
}

/** A key of 0x and 64 hex digits in base58, as people know it. */
export function encodeKey(key: string): string {
  let value = BigInt(key)
  let text = ''
  while (value > 0n) {
    text = alphabet[Number(value % 58n)] + text
    value /= 58n
  }
  const zeros = /^(?:00)*/.exec(key.slice(2))![0].length / 2
  return '1'.repeat(zeros) + text
}
