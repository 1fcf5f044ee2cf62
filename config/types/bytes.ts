import type { ValueType } from './valueType.ts'

const factors: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
}

/**
 * A size, resolved to whole bytes: `"64MiB"` is 67 108 864, `"64MB"` is 64 000 000, a plain number is bytes.
 * @param range bounds in bytes, both included
 */
export function bytes(range: { min: number; max: number }): ValueType<number> {
  const bounds = `from ${writeBytes(range.min)} to ${writeBytes(range.max)}`
  const expected = `a size ${bounds}, such as "64MiB", "64MB" or a number of bytes`
  return {
    name: 'size',
    expected,
    range: bounds,
    unit: 'bytes',
    parse(raw) {
      const value = typeof raw === 'number' ? raw : typeof raw === 'string' ? readBytes(raw) : undefined
      return value !== undefined && Number.isSafeInteger(value) && value >= range.min && value <= range.max
        ? { value: value + 0 }
        : { expected }
    },
    fromText: (text) => text,
    write: writeBytes,
    plain: (value) => value,
  }
}

function readBytes(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?([kmg]i?b|b)?$/i.exec(text) ?? []
  if (digits === undefined) return undefined
  // Rounded to a thousandth of a byte first: 1.001 * 1e6 is not whole in binary.
  return Math.round(Number(digits) * (factors[(unit ?? 'b').toLowerCase()] ?? 1) * 1000) / 1000
}

function writeBytes(size: number): string | number {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const factor = factors[unit.toLowerCase()]!
    if (size !== 0 && size % factor === 0) return `${size / factor}${unit}`
  }
  return size
}
