/**
 * Memory that a plain value takes, as V8 on 64 bits lays it out without compressed pointers; strings are counted each time they occur,
 * though some are shared. For answers of a store a tenth more than what the heap grows by
 * (`node --expose-gc bench/vector/cache.ts`).
 */
export function heapBytes(value: unknown): number {
  switch (typeof value) {
    case 'string':
      // One byte a character, two where any is beyond Latin-1; rounded up to 8.
      return 16 + 8 * Math.ceil((isLatin1(value) ? value.length : 2 * value.length) / 8)
    case 'number':
      return Number.isInteger(value) ? 0 : 16
    case 'bigint':
      return 32
    case 'object':
      break
    default:
      return 0
  }
  if (value === null) return 0
  let bytes = 48
  if (Array.isArray(value)) {
    for (const item of value) bytes += 8 + heapBytes(item)
    return bytes
  }
  // Objects that are made key by key have some places to spare.
  for (const part of Object.values(value)) bytes += 12 + heapBytes(part)
  return bytes
}

function isLatin1(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0xff) return false
  return true
}
