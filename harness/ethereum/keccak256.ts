import { createKeccak } from 'hash-wasm'

export type Keccak256 = (bytes: Uint8Array) => Uint8Array

/** Keccak-256 in WebAssembly: some 4 µs for 400 bytes, where the JavaScript one takes 67 µs. */
export async function createKeccak256(): Promise<Keccak256> {
  const hasher = await createKeccak(256)
  return (bytes) => {
    hasher.init()
    hasher.update(bytes)
    return hasher.digest('binary')
  }
}
