import type { ValueType } from './valueType.ts'

/**
 * A whole number within bounds, both included.
 * @param range.unit the unit of the number, such as `blocks`
 */
export function integer(range: { min: number; max: number; unit?: string }): ValueType<number> {
  const bounds = `from ${range.min} to ${range.max}`
  const expected = `an integer ${bounds}`
  return {
    name: 'integer',
    expected,
    range: bounds,
    unit: range.unit,
    // `+ 0` makes -0 into 0.
    parse: (raw) =>
      typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= range.min && raw <= range.max
        ? { value: raw + 0 }
        : { expected },
    fromText: (text) => (/^\d+$/.test(text) ? Number(text) : text),
    write: (value) => value,
    plain: (value) => value,
  }
}
