import type { ValueType } from './valueType.ts'

/** One of a closed list of words, in any case. */
export function choice<const T extends string>(words: readonly T[]): ValueType<T> {
  const meant = new Map<string, T>(words.map((word) => [word, word]))
  const quoted = words.map((word) => `"${word}"`)
  const expected = `one of ${quoted.join(', ')}`
  return {
    name: quoted.join(' or '),
    expected,
    unit: undefined,
    parse(raw) {
      const value = typeof raw === 'string' ? meant.get(raw.toLowerCase()) : undefined
      return value === undefined ? { expected } : { value }
    },
    fromText: (text) => text,
    write: (value) => value,
    plain: (value) => value,
  }
}
