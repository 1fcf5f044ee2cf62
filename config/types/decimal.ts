import type { ValueType } from './valueType.ts'

/** A number within bounds, both included; `nan` and `inf` are refused. */
export function decimal(range: { min: number; max: number; unit?: string }): ValueType<number> {
  const bounds = `from ${range.min} to ${range.max}`
  const expected = `a number ${bounds}`
  return {
    name: 'number',
    expected,
    range: bounds,
    unit: range.unit,
    // `+ 0` makes -0 into 0.
    parse: (raw) =>
      typeof raw === 'number' && raw >= range.min && raw <= range.max ? { value: raw + 0 } : { expected },
    fromText: (text) => (/^\d+(\.\d+)?(e-?\d+)?$/i.test(text) ? Number(text) : text),
    write: (value) => value,
    plain: (value) => value,
  }
}
