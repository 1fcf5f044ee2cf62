import type { StateWrite } from '../notification/stateWrite.ts'
import {
  EXECUTABLE_OFFSET,
  encodeAccount,
  encodeLamports,
  isAccountValue,
  lamportsOf,
  plainAccount,
  rentEpochOf,
} from './accountValue.ts'
import { StoredStateError } from './errors.ts'
import { bytesOfKey, keyOf } from './keyOf.ts'
import { LATTICE_BYTES, type LatticeHash } from './latticeHash.ts'
import { isProgramValue, type Vm } from './liteSvm.ts'
import type { SvmState } from './types.ts'

/** An account a block may have changed: its value before the block, and what of it can be another by now. */
export type TouchedAccount = {
  readonly pubkey: Uint8Array
  readonly before: Uint8Array | undefined
  changed: 'nothing' | 'lamports' | 'anything'
}

/** The accounts that canonical blocks made, in the VM and as one hash. */
export type AccountLedger = {
  readonly size: () => number
  /** The value as of now, without asking the VM where it is remembered. Only for accounts no open block changed. */
  readonly read: (pubkey: Uint8Array, key: string) => Uint8Array | undefined
  /**
   * Takes in what a block changed, by key: the VM is read, the lattice hash brought up to date.
   * @returns one write for each account that differs, then the lattice where it does
   */
  readonly settle: (touched: ReadonlyMap<string, TouchedAccount>) => StateWrite[]
  /**
   * Puts back values by key, and the lattice when a block had changed it (`null`: it had not).
   * @param programsChanged whether one of the undone writes was of a program
   */
  readonly restore: (
    values: ReadonlyMap<string, Uint8Array | undefined>,
    lattice: Uint8Array | undefined | null,
    programsChanged: boolean,
  ) => void
  /** BLAKE3-256 of the lattice. */
  readonly checksum: () => Uint8Array
}

/** Key of the lattice in table `svm`; its value is the 2048 bytes, and no row means no account was ever written. */
export const LATTICE_KEY = 'lattice'

/** 16 384 small accounts: a few MB, 32 MB at the very most. Larger ones are read again. */
const REMEMBERED_ACCOUNTS = 16_384
const REMEMBERED_VALUE_BYTES = 2048

/**
 * Loads the stored accounts into the VM.
 * @throws {StoredStateError} when a row cannot be what this stage wrote
 */
export function createAccountLedger(
  vm: Vm,
  lattice: LatticeHash,
  rows: SvmState['rows'] | undefined,
): AccountLedger {
  const keys = new Set<string>()
  // In order of use: a Map keeps the order of insertion, so what is used is taken out and put in again.
  const remembered = new Map<string, Uint8Array>()
  /** Whether table `svm` has the lattice's row: the first block that writes an account makes it. */
  let latticeStored = false
  let checksum: Uint8Array | undefined

  const remember = (key: string, value: Uint8Array): void => {
    remembered.delete(key)
    if (value.length > REMEMBERED_VALUE_BYTES) return
    remembered.set(key, value)
    if (remembered.size > REMEMBERED_ACCOUNTS) remembered.delete(remembered.keys().next().value!)
  }
  const write = (pubkey: Uint8Array, key: string, value: Uint8Array | undefined): void => {
    vm.write(pubkey, value)
    if (value === undefined) keys.delete(key)
    else keys.add(key)
  }
  const put = (key: string, value: Uint8Array | undefined): void => {
    write(bytesOfKey(key), key, value)
    if (value === undefined) remembered.delete(key)
    else remember(key, value)
  }
  const setLattice = (bytes: Uint8Array | undefined): void => {
    lattice.reset(bytes)
    latticeStored = bytes !== undefined
    checksum = undefined
  }

  if (rows !== undefined) {
    loadAccounts(rows('account'), write)
    setLattice(storedLattice(rows('svm'), keys.size))
  }

  return {
    size: () => keys.size,
    read(pubkey, key) {
      const known = remembered.get(key)
      if (known !== undefined) return known
      const value = vm.read(pubkey)
      if (value !== undefined) remember(key, value)
      return value
    },
    settle(touched) {
      const writes: StateWrite[] = []
      const latticeBefore = latticeStored ? lattice.bytes() : undefined
      let rebuild = false
      for (const [key, { pubkey, before, changed }] of touched) {
        if (changed === 'nothing') continue
        const after = changed === 'lamports' ? withBalance(vm, pubkey, before) : vm.read(pubkey)
        rebuild ||= isProgramValue(before) || isProgramValue(after)
        if (isSame(before, after)) continue
        // Keys are views on a received frame: what outlives the block is copied.
        const owned = new Uint8Array(pubkey)
        writes.push({ table: 'account', key: owned, before, after })
        if (before !== undefined) lattice.subtractAccount(owned, before)
        if (after === undefined) {
          remembered.delete(key)
          keys.delete(key)
        } else {
          lattice.addAccount(owned, after)
          remember(key, after)
          keys.add(key)
        }
      }
      if (writes.length > 0) {
        checksum = undefined
        latticeStored = true
        writes.push({
          table: 'svm',
          key: Buffer.from(LATTICE_KEY),
          before: latticeBefore,
          after: lattice.bytes(),
        })
      }
      if (rebuild) vm.rebuild(keys)
      return writes
    },
    restore(values, latticeBefore, programsChanged) {
      // Code before the programs that point to it.
      const executables: string[] = []
      for (const [key, value] of values) {
        if (isExecutable(value)) executables.push(key)
        else put(key, value)
      }
      for (const key of executables) put(key, values.get(key))
      if (latticeBefore !== null) setLattice(latticeBefore)
      if (programsChanged) vm.rebuild(keys)
    },
    checksum() {
      checksum ??= lattice.checksum()
      return checksum
    },
  }
}

/**
 * The account as of now when nothing but its lamports can have changed. Reading a whole account makes half a dozen
 * objects that V8 has to track for LiteSVM; most transactions are transfers, and for them this is enough.
 */
function withBalance(vm: Vm, pubkey: Uint8Array, before: Uint8Array | undefined): Uint8Array | undefined {
  const lamports = vm.balance(pubkey)
  if (lamports === undefined) return undefined
  if (before === undefined) return encodeAccount({ ...plainAccount, lamports })
  // Another rent epoch than this the runtime puts right whenever it writes the account.
  if (rentEpochOf(before) !== plainAccount.rentEpoch) return vm.read(pubkey)
  return lamportsOf(before) === lamports ? before : encodeLamports(before, lamports)
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0)
}

const isExecutable = (value: Uint8Array | undefined): boolean => value?.[EXECUTABLE_OFFSET] === 1

type Rows = ReturnType<SvmState['rows']>

function loadAccounts(rows: Rows, write: (pubkey: Uint8Array, key: string, value: Uint8Array) => void): void {
  const executables: [Uint8Array, Uint8Array][] = []
  for (const { key, value } of rows) {
    if (key.length !== 32 || !isAccountValue(value)) {
      throw new StoredStateError({
        table: 'account',
        key: Buffer.from(key).toString('hex'),
        expected: 'a 32-byte key, and lamports, rent epoch, executable, owner and data',
        got: `${key.length} and ${value.length} bytes`,
      })
    }
    if (isExecutable(value)) executables.push([new Uint8Array(key), new Uint8Array(value)])
    else write(key, keyOf(key), value)
  }
  for (const [key, value] of executables) write(key, keyOf(key), value)
}

function storedLattice(rows: Rows, accounts: number): Uint8Array | undefined {
  for (const { key, value } of rows) {
    if (keyOf(key) === LATTICE_KEY && value.length === LATTICE_BYTES) return value
  }
  if (accounts === 0) return undefined
  throw new StoredStateError({
    table: 'svm',
    key: LATTICE_KEY,
    expected: `${LATTICE_BYTES} bytes, as there are ${accounts} accounts`,
    got: 'no such row',
  })
}
