import type { ValueType } from './valueType.ts'

/** `true` or `false`, in these words only. */
export function boolean(): ValueType<boolean> {
  const expected = 'true or false'
  return {
    name: 'boolean',
    expected,
    unit: undefined,
    parse: (raw) => (typeof raw === 'boolean' ? { value: raw } : { expected }),
    fromText: (text) => (text === 'true' ? true : text === 'false' ? false : text),
    write: (value) => value,
    plain: (value) => value,
  }
}
