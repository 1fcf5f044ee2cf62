const encoder = new TextEncoder()
const scratch = new Uint8Array(1024)

/**
 * MurmurHash3 x86 32-bit, seed 0, over the UTF-8 bytes of `name`. Stable for ever: stored vectors depend on it.
 * Names above 1024 bytes are hashed by their leading 1024 bytes (whole characters).
 */
export function hashFeature(name: string): number {
  const length = encode(name)
  let hash = 0
  const whole = length & ~3
  for (let at = 0; at < whole; at += 4) {
    const block = scratch[at]! | (scratch[at + 1]! << 8) | (scratch[at + 2]! << 16) | (scratch[at + 3]! << 24)
    hash ^= mixBlock(block)
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let at = length - 1; at >= whole; at -= 1) tail = (tail << 8) | scratch[at]!
  if (length > whole) hash ^= mixBlock(tail)
  return finalise(hash ^ length)
}

function mixBlock(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51)
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
}

function finalise(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Nearly every name is ASCII, and a plain loop beats the encoder's call by far. */
function encode(name: string): number {
  if (name.length > scratch.length) return encoder.encodeInto(name, scratch).written
  for (let at = 0; at < name.length; at += 1) {
    const unit = name.charCodeAt(at)
    if (unit > 0x7f) return encoder.encodeInto(name, scratch).written
    scratch[at] = unit
  }
  return name.length
}
