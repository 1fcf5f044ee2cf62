import type { ValueType } from './valueType.ts'

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** A set of Solana public keys in base58, resolved sorted and each once: the order has no meaning, so it binds nothing. */
export function publicKeys(): ValueType<readonly string[]> {
  const expected = 'a list of Solana public keys (32 bytes in base58)'
  return {
    name: 'list of public keys',
    expected,
    unit: undefined,
    parse(raw) {
      if (!Array.isArray(raw)) return { expected }
      const keys: string[] = []
      for (const [index, each] of raw.entries()) {
        if (!isPublicKey(each)) return { expected: `${expected}; entry ${index + 1} is not one` }
        keys.push(each)
      }
      return { value: [...new Set(keys)].sort() }
    },
    fromText: (text) => splitList(text),
    write: (value) => value,
    plain: (value) => value,
  }
}

/** True for the base58 text of exactly 32 bytes. */
export function isPublicKey(raw: unknown): raw is string {
  // 32 bytes need 32 (all zero) to 44 digits; the bound keeps the arithmetic below small.
  if (typeof raw !== 'string' || raw.length < 32 || raw.length > 44) return false
  let number = 0n
  for (const digit of raw) {
    const value = alphabet.indexOf(digit)
    if (value < 0) return false
    number = number * 58n + BigInt(value)
  }
  const leadingZeros = raw.length - raw.replace(/^1+/, '').length
  const significantBytes = number === 0n ? 0 : Math.ceil(number.toString(16).length / 2)
  return leadingZeros + significantBytes === 32
}

/** The entries of a comma-separated list; no text, no entries. */
export function splitList(text: string): string[] {
  return text.trim() === '' ? [] : text.split(',').map((each) => each.trim())
}
