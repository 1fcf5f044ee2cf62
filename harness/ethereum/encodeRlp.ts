export type RlpItem = Uint8Array | bigint | readonly RlpItem[]

/** Recursive length prefix encoding; a bigint is its shortest big-endian bytes, zero being empty. */
export function encodeRlp(item: RlpItem): Buffer {
  if (typeof item === 'bigint') return encodeRlp(integerBytes(item))
  if (item instanceof Uint8Array) {
    if (item.length === 1 && item[0]! < 0x80) return Buffer.from(item)
    return Buffer.concat([lengthPrefix(0x80, item.length), item])
  }
  const content = Buffer.concat((item as readonly RlpItem[]).map(encodeRlp))
  return Buffer.concat([lengthPrefix(0xc0, content.length), content])
}

function lengthPrefix(offset: number, length: number): Buffer {
  if (length < 56) return Buffer.of(offset + length)
  const bytes = integerBytes(BigInt(length))
  return Buffer.concat([Buffer.of(offset + 55 + bytes.length), bytes])
}

function integerBytes(value: bigint): Buffer {
  if (value === 0n) return Buffer.alloc(0)
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}
