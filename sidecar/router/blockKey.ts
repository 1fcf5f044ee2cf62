/** Keys of tables `outcome` and `context`: a block number in 8 bytes, big-endian, so that keys sort as blocks do. */
export function blockKey(block: number): Uint8Array {
  const key = new Uint8Array(8)
  new DataView(key.buffer).setBigUint64(0, BigInt(block))
  return key
}

export function readBlockKey(key: Uint8Array): number {
  return Number(new DataView(key.buffer, key.byteOffset, 8).getBigUint64(0))
}
