import { systemProgram } from './solanaPrograms.ts'
import type { SvmAccount } from './types.ts'

/**
 * An account as one value, the way table `account` keeps it: lamports u64 LE, rent epoch u64 LE, executable u8,
 * owner 32 bytes, data. From `executable` on it is laid out as the lattice hash reads it.
 */
export const ACCOUNT_HEADER_BYTES = 49
export const EXECUTABLE_OFFSET = 16
export const OWNER_OFFSET = 17

/** A System account without data, before anything is put on it: what a transfer to a new key makes. */
export const plainAccount: SvmAccount = {
  lamports: 0n,
  owner: systemProgram,
  executable: false,
  // As the runtime gives it to every account it makes: no rent is collected.
  rentEpoch: 2n ** 64n - 1n,
  data: new Uint8Array(0),
}

/** Writes an account as one value. */
export function encodeAccount(account: SvmAccount): Uint8Array {
  const value = new Uint8Array(ACCOUNT_HEADER_BYTES + account.data.length)
  writeU64(value, 0, account.lamports)
  writeU64(value, 8, account.rentEpoch)
  value[EXECUTABLE_OFFSET] = account.executable ? 1 : 0
  value.set(account.owner, OWNER_OFFSET)
  if (account.data.length > 0) value.set(account.data, ACCOUNT_HEADER_BYTES)
  return value
}

/** Reads a value `encodeAccount` wrote; owner and data are views on it. */
export function decodeAccount(value: Uint8Array): SvmAccount {
  return {
    lamports: readU64(value, 0),
    rentEpoch: readU64(value, 8),
    executable: value[EXECUTABLE_OFFSET] === 1,
    owner: value.subarray(OWNER_OFFSET, ACCOUNT_HEADER_BYTES),
    data: value.subarray(ACCOUNT_HEADER_BYTES),
  }
}

export const lamportsOf = (value: Uint8Array): bigint => readU64(value, 0)
export const rentEpochOf = (value: Uint8Array): bigint => readU64(value, 8)

/** The same account with other lamports, as a new value. */
export function encodeLamports(value: Uint8Array, lamports: bigint): Uint8Array {
  const copy = new Uint8Array(value)
  writeU64(copy, 0, lamports)
  return copy
}

/** Could `value` have been written by `encodeAccount` for an account that exists? */
export function isAccountValue(value: Uint8Array): boolean {
  return value.length >= ACCOUNT_HEADER_BYTES && value[EXECUTABLE_OFFSET]! <= 1 && readU64(value, 0) > 0n
}

// V8 keeps arrays of up to 64 bytes inside its heap until somebody asks for their buffer, which most accounts would
// otherwise be spared; so numbers go through one shared word. Little-endian, as every machine LiteSVM is built for.
const word = new BigUint64Array(1)
const wordBytes = new Uint8Array(word.buffer)

function writeU64(bytes: Uint8Array, offset: number, value: bigint): void {
  word[0] = value
  for (let index = 0; index < 8; index++) bytes[offset + index] = wordBytes[index]!
}

function readU64(bytes: Uint8Array, offset: number): bigint {
  for (let index = 0; index < 8; index++) wordBytes[index] = bytes[offset + index]!
  return word[0]!
}
