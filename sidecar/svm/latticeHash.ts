import { createBLAKE3, type IHasher } from 'hash-wasm'
import { ACCOUNT_HEADER_BYTES, EXECUTABLE_OFFSET } from './accountValue.ts'
import { assembleBlake3Module, BLAKE3_IV } from './blake3Module.ts'

/** 1024 lanes of u16, little-endian. */
export const LATTICE_BYTES = 2048

/**
 * A lattice hash: the sum of the hashes of its members, lane by lane, so that one can be added or taken out without
 * the others. Hashing the same member twice is cheaper than remembering 2048 bytes of it.
 */
export type LatticeHash = {
  readonly add: (member: Uint8Array) => void
  readonly subtract: (member: Uint8Array) => void
  /** An account (a value of `accountValue.ts`), as Solana's accounts lattice hash has it. */
  readonly addAccount: (pubkey: Uint8Array, value: Uint8Array) => void
  readonly subtractAccount: (pubkey: Uint8Array, value: Uint8Array) => void
  /** The 2048 bytes, a copy. */
  readonly bytes: () => Uint8Array
  /** Starts over from 2048 bytes, or from nothing: the hash of no members. */
  readonly reset: (bytes?: Uint8Array) => void
  /** BLAKE3-256 of the 2048 bytes, 32 bytes. */
  readonly checksum: () => Uint8Array
}

/** One chunk of BLAKE3: what the module hashes by itself. Longer members are rare and go to the library. */
const CHUNK_BYTES = 1024
const [CHUNK_START, CHUNK_END, ROOT] = [1, 2, 8] as const

// Where things are in the module's memory.
const IV = 0
const CHAINING = [256, 512] as const
const INPUT = 1024
const OUTPUT = 2048
const LATTICE = 4096

type Blake3Exports = {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly compress: (
    cv: number,
    block: number,
    counter: number,
    length: number,
    flags: number,
    out: number,
  ) => void
  readonly add: (to: number, from: number) => void
  readonly subtract: (to: number, from: number) => void
}

/** The standard global, of which Node's types say nothing without a browser's. */
declare const WebAssembly: {
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<object>
  instantiate(module: object): Promise<{ readonly exports: unknown }>
}

/** Assembled and compiled once; every lattice hash is an instance of it, with its own memory. */
let blake3Module: Promise<object> | undefined

/** Makes a lattice hash of no members, with the WebAssembly it needs. */
export async function createLatticeHash(): Promise<LatticeHash> {
  const extendable = await createBLAKE3(LATTICE_BYTES * 8)
  const plain = await createBLAKE3(256)
  blake3Module ??= WebAssembly.compile(assembleBlake3Module())
  const { exports } = await WebAssembly.instantiate(await blake3Module)
  const { memory, compress, add, subtract } = exports as Blake3Exports
  const bytes = new Uint8Array(memory.buffer)
  const lattice = bytes.subarray(LATTICE, LATTICE + LATTICE_BYTES)
  new Uint32Array(memory.buffer, IV, BLAKE3_IV.length).set(BLAKE3_IV)
  let long = new Uint8Array(16 * 1024)

  /** Hashes the input's first `length` bytes to the output. */
  const hashInput = (length: number): void => {
    const blocks = Math.max(1, Math.ceil(length / 64))
    bytes.fill(0, INPUT + length, INPUT + blocks * 64)
    let cv = IV
    for (let index = 0; index < blocks - 1; index++) {
      const next = CHAINING[index & 1]!
      compress(cv, INPUT + index * 64, 0, 64, index === 0 ? CHUNK_START : 0, next)
      cv = next
    }
    const last = INPUT + (blocks - 1) * 64
    const flags = (blocks === 1 ? CHUNK_START : 0) | CHUNK_END | ROOT
    for (let counter = 0; counter < LATTICE_BYTES / 64; counter += 4) {
      compress(cv, last, counter, length - (blocks - 1) * 64, flags, OUTPUT + counter * 64)
    }
  }
  const hash = (member: Uint8Array): void => {
    if (member.length > CHUNK_BYTES) {
      bytes.set(digestOf(extendable, member), OUTPUT)
      return
    }
    bytes.set(member, INPUT)
    hashInput(member.length)
  }
  const hashAccount = (pubkey: Uint8Array, value: Uint8Array): void => {
    // Input order: lamports, data, executable, owner, public key. The rent epoch is no part of it.
    const data = value.length - ACCOUNT_HEADER_BYTES
    const length = 8 + data + 33 + 32
    const isShort = length <= CHUNK_BYTES
    if (long.length < length) long = new Uint8Array(length * 2)
    const input = isShort ? bytes : long
    const start = isShort ? INPUT : 0
    // Byte by byte where a view would cost more than the copy.
    for (let index = 0; index < 8; index++) input[start + index] = value[index]!
    if (data > 0) input.set(value.subarray(ACCOUNT_HEADER_BYTES), start + 8)
    const owner = start + 8 + data - EXECUTABLE_OFFSET
    for (let index = EXECUTABLE_OFFSET; index < ACCOUNT_HEADER_BYTES; index++)
      input[owner + index] = value[index]!
    input.set(pubkey, start + 8 + data + 33)
    if (isShort) hashInput(length)
    else hash(long.subarray(0, length))
  }

  return {
    add(member) {
      hash(member)
      add(LATTICE, OUTPUT)
    },
    subtract(member) {
      hash(member)
      subtract(LATTICE, OUTPUT)
    },
    addAccount(pubkey, value) {
      hashAccount(pubkey, value)
      add(LATTICE, OUTPUT)
    },
    subtractAccount(pubkey, value) {
      hashAccount(pubkey, value)
      subtract(LATTICE, OUTPUT)
    },
    bytes: () => lattice.slice(),
    reset(from) {
      if (from === undefined) lattice.fill(0)
      else lattice.set(from)
    },
    checksum: () => digestOf(plain, lattice),
  }
}

function digestOf(hasher: IHasher, bytes: Uint8Array): Uint8Array {
  hasher.init()
  hasher.update(bytes)
  return hasher.digest('binary')
}
