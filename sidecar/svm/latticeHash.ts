import { createBLAKE3, type IHasher } from 'hash-wasm'
import { ACCOUNT_HEADER_BYTES, EXECUTABLE_OFFSET } from './accountValue.ts'

/** 1024 lanes of u16, little-endian. */
export const LATTICE_BYTES = 2048

/** One lattice hash, held as pairs of lanes: lane 2i in the low half of word i, lane 2i + 1 in the high half. */
export type Lattice = Uint32Array<ArrayBuffer>

/** Makes lattice hashes. One at a time: the hasher under it has state. */
export type LatticeHasher = {
  /** The lattice hash of any bytes: 2048 bytes of their BLAKE3 output. */
  readonly of: (bytes: Uint8Array) => Lattice
  /** The lattice hash of an account (a value of `accountValue.ts`), as Solana's accounts lattice hash has it. */
  readonly ofAccount: (pubkey: Uint8Array, value: Uint8Array) => Lattice
  /** BLAKE3-256 of the lattice's bytes, 32 bytes. */
  readonly checksum: (lattice: Lattice) => Uint8Array
}

/** Loads the hash functions (WebAssembly), once per executor. */
export async function createLatticeHasher(): Promise<LatticeHasher> {
  const extendable = await createBLAKE3(LATTICE_BYTES * 8)
  const plain = await createBLAKE3(256)
  let scratch = new Uint8Array(4096)

  // The digest is a copy made for us: taking it as it is saves another.
  const of = (bytes: Uint8Array): Lattice => new Uint32Array(digestOf(extendable, bytes).buffer)
  return {
    of,
    ofAccount(pubkey, value) {
      // Input order: lamports, data, executable, owner, public key. Gathered first, as a call into WebAssembly
      // costs more than copying a small account; the rent epoch is no part of it.
      const data = value.length - ACCOUNT_HEADER_BYTES
      const length = 8 + data + 33 + 32
      if (scratch.length < length) scratch = new Uint8Array(length * 2)
      scratch.set(value.subarray(0, 8))
      scratch.set(value.subarray(ACCOUNT_HEADER_BYTES), 8)
      scratch.set(value.subarray(EXECUTABLE_OFFSET, ACCOUNT_HEADER_BYTES), 8 + data)
      scratch.set(pubkey, 8 + data + 33)
      return of(scratch.subarray(0, length))
    },
    checksum: (lattice) => digestOf(plain, latticeBytes(lattice)),
  }
}

/** The hash of nothing: adding it changes nothing. */
export const emptyLattice = (): Lattice => new Uint32Array(LATTICE_BYTES / 4)

/** Adds `other` to `lattice` in place, lane by lane, wrapping. */
export function addLattice(lattice: Lattice, other: Lattice): void {
  for (let index = 0; index < lattice.length; index++) {
    const a = lattice[index]!
    const b = other[index]!
    // Two lanes at once: with the top bits out of the way no carry crosses, and they are put back by xor.
    lattice[index] = ((a & 0x7fff7fff) + (b & 0x7fff7fff)) ^ ((a ^ b) & 0x80008000)
  }
}

/** Takes `other` out of `lattice` in place: the inverse of `addLattice`. */
export function subtractLattice(lattice: Lattice, other: Lattice): void {
  for (let index = 0; index < lattice.length; index++) {
    const a = lattice[index]!
    const b = other[index]!
    // The borrow is kept inside its lane by a top bit set beforehand, and put right by xor.
    lattice[index] = ((a | 0x80008000) - (b & 0x7fff7fff)) ^ ((a ^ ~b) & 0x80008000)
  }
}

/** The lattice as its 2048 bytes: a view. */
export const latticeBytes = (lattice: Lattice): Uint8Array =>
  new Uint8Array(lattice.buffer, lattice.byteOffset, LATTICE_BYTES)

/** Reads 2048 bytes back. */
export function latticeFromBytes(bytes: Uint8Array): Lattice {
  return new Uint32Array(new Uint8Array(bytes).buffer)
}

function digestOf(hasher: IHasher, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  hasher.init()
  hasher.update(bytes)
  return hasher.digest('binary') as Uint8Array<ArrayBuffer>
}
