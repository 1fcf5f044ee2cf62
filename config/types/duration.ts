import type { ValueType } from './valueType.ts'

// Largest first: writing takes the first unit that divides.
const units = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/**
 * A time span, resolved to whole milliseconds: `"200ms"`, `"5s"`, `"1.5m"`, `"1h"`, or a plain number of ms.
 * @param range bounds in milliseconds, both included; keep `max` below 2^31, beyond which Node's timers fire at once
 */
export function duration(range: { min: number; max: number }): ValueType<number> {
  const bounds = `from ${writeDuration(range.min)} to ${writeDuration(range.max)}`
  const expected = `a duration ${bounds}, such as "200ms", "5s", "1m" or a number of ms`
  return {
    name: 'duration',
    expected,
    range: bounds,
    unit: 'ms',
    parse(raw) {
      const value = typeof raw === 'number' ? raw : typeof raw === 'string' ? readDuration(raw) : undefined
      return value !== undefined && Number.isInteger(value) && value >= range.min && value <= range.max
        ? { value: value + 0 }
        : { expected }
    },
    fromText: (text) => text,
    write: writeDuration,
    plain: (value) => value,
  }
}

function readDuration(text: string): number | undefined {
  const [, digits, unit = 'ms'] = /^(\d+(?:\.\d+)?) ?(ms|s|m|h)?$/.exec(text) ?? []
  const factor = units.find(([name]) => name === unit)?.[1]
  // Rounded to a microsecond first: 1.001 * 1000 is 1000.9999999999999.
  return digits === undefined || factor === undefined
    ? undefined
    : Math.round(Number(digits) * factor * 1000) / 1000
}

function writeDuration(ms: number): string {
  const [name, factor] = units.find(([, each]) => ms !== 0 && ms % each === 0) ?? (['ms', 1] as const)
  return `${ms / factor}${name}`
}
