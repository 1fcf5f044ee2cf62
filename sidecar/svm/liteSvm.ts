import { Account, Clock, EpochSchedule, FailedTransactionMetadata, LiteSvm } from 'litesvm/dist/internal.js'
import { decodeAccount, EXECUTABLE_OFFSET, encodeAccount, OWNER_OFFSET } from './accountValue.ts'
import { decodeBase58 } from './base58.ts'
import { ProgramLoadError } from './errors.ts'
import { bytesOfKey, keyOf } from './keyOf.ts'
import {
  configOwner,
  featureOwner,
  isLoader,
  nativeLoader,
  programLoaders,
  reservedWithoutAccount,
  systemProgram,
  sysvarOwner,
} from './solanaPrograms.ts'
import type { SolanaTransaction } from './types.ts'

/** A program to have from the start, beside LiteSVM's own (token, token-2022, memo, associated token, stake). */
export type SvmProgram = {
  /** base58. */
  readonly id: string
  /** Path of its SBF ELF file (`.so`). */
  readonly file: string
}

/**
 * Keys of the accounts a VM begins with, which no transaction of the chain made:
 * `readonly` the runtime itself keeps from being written (sysvars, built-ins), `program` is a program or its code,
 * `fixed` is anything else (feature gates, keys with a meaning but no account).
 */
export type GenesisKind = 'readonly' | 'program' | 'fixed'

/** What the VM made of a transaction. `charged`: the fee was taken, whatever else came of it. */
export type VmResult = {
  readonly status: 'executed' | 'failed' | 'badSignature'
  readonly reason: string | undefined
  readonly charged: boolean
  readonly computeUnits: number
}

/** LiteSVM in bytes: the one place that knows its types. Accounts are values of `accountValue.ts`. */
export type Vm = {
  readonly genesis: ReadonlyMap<string, GenesisKind>
  readonly setClock: (slot: bigint, unixTimestamp: bigint) => void
  /** @param verify check the signatures here (the VM's own check, most of what a small transaction costs) */
  readonly run: (transaction: SolanaTransaction, verify: boolean) => VmResult
  readonly read: (pubkey: Uint8Array) => Uint8Array | undefined
  /** Lamports alone, undefined where there is no account: a tenth of what `read` costs. */
  readonly balance: (pubkey: Uint8Array) => bigint | undefined
  /** undefined removes the account. */
  readonly write: (pubkey: Uint8Array, value: Uint8Array | undefined) => void
  /** Starts over with the accounts of `keys` alone: the only way to empty LiteSVM's program cache. */
  readonly rebuild: (keys: Iterable<string>) => void
}

/** Mainnet's, with no warm-up: the epoch follows from the slot by division. */
const SLOTS_PER_EPOCH = 432_000n

/**
 * Sets up a VM that is the same in every process: its own blockhash check and history off (the chain's are used),
 * the airdrop account with its random key removed. Program logs are not collected; nothing reads them.
 * @throws {ProgramLoadError}
 */
export function createLiteSvm(programs: readonly SvmProgram[]): Vm {
  let native = createNative(programs)
  let verifying = true
  let clock: Clock | undefined
  const genesis = genesisOf(native)

  return {
    genesis,
    setClock(slot, unixTimestamp) {
      const epoch = slot / SLOTS_PER_EPOCH
      // The epoch's first timestamp is zero for all: who starts in the middle of an epoch cannot know it.
      clock = new Clock(slot, 0n, epoch, epoch + 1n, BigInt.asIntN(64, unixTimestamp))
      native.setClock(clock)
    },
    run(transaction, verify) {
      if (verify !== verifying) native.setSigverify(verify)
      verifying = verify
      const result =
        transaction.version === 'legacy'
          ? native.sendLegacyTransaction(transaction.bytes)
          : native.sendVersionedTransaction(transaction.bytes)
      return result instanceof FailedTransactionMetadata
        ? failureOf(result)
        : {
            status: 'executed',
            reason: undefined,
            charged: true,
            computeUnits: Number(result.computeUnitsConsumed()),
          }
    },
    read: (pubkey) => readAccount(native, pubkey),
    balance: (pubkey) => native.getBalance(pubkey) ?? undefined,
    write(pubkey, value) {
      native.setAccount(pubkey, value === undefined ? noAccount : accountOf(value))
    },
    rebuild(keys) {
      const old = native
      native = createNative(programs)
      if (clock !== undefined) native.setClock(clock)
      native.setSigverify(verifying)
      const executables: [Uint8Array, Account][] = []
      for (const key of keys) {
        const pubkey = bytesOfKey(key)
        const account = old.getAccount(pubkey)
        if (account === null) continue
        if (account.executable()) executables.push([pubkey, account])
        else native.setAccount(pubkey, account)
      }
      // A program is compiled when it is set, from a code account that has to be there by then.
      for (const [pubkey, account] of executables) native.setAccount(pubkey, account)
    },
  }
}

/** Does this account hold, or may it come to hold, a program: LiteSVM's program cache depends on it. */
export function isProgramValue(value: Uint8Array | undefined): boolean {
  if (value === undefined) return false
  return value[EXECUTABLE_OFFSET] === 1 || isLoader(value, OWNER_OFFSET)
}

const noAccount = new Account(0n, new Uint8Array(0), systemProgram, false, 0n)

function createNative(programs: readonly SvmProgram[]): LiteSvm {
  const native = new LiteSvm()
  native.setBlockhashCheck(false)
  native.setTransactionHistory(0n)
  native.setLogBytesLimit(0n)
  native.setEpochSchedule(new EpochSchedule(SLOTS_PER_EPOCH, SLOTS_PER_EPOCH, false, 0n, 0n))
  for (const { address } of native.getProgramAccounts(systemProgram)) native.setAccount(address, noAccount)
  for (const { id, file } of programs) {
    try {
      native.addProgramFromFile(decodeBase58(id), file)
    } catch (error) {
      throw new ProgramLoadError({ id, file }, error)
    }
  }
  return native
}

function genesisOf(native: LiteSvm): Map<string, GenesisKind> {
  const kinds: readonly (readonly [GenesisKind, readonly Uint8Array[]])[] = [
    ['readonly', [nativeLoader, sysvarOwner]],
    ['program', programLoaders],
    ['fixed', [featureOwner, configOwner]],
  ]
  const genesis = new Map<string, GenesisKind>()
  for (const pubkey of reservedWithoutAccount) genesis.set(keyOf(pubkey), 'fixed')
  for (const [kind, owners] of kinds) {
    for (const owner of owners) {
      for (const { address } of native.getProgramAccounts(owner)) genesis.set(keyOf(address), kind)
    }
  }
  return genesis
}

function readAccount(native: LiteSvm, pubkey: Uint8Array): Uint8Array | undefined {
  const account = native.getAccount(pubkey)
  if (account === null) return undefined
  return encodeAccount({
    lamports: account.lamports(),
    rentEpoch: account.rentEpoch(),
    executable: account.executable(),
    owner: account.owner(),
    data: account.data(),
  })
}

function accountOf(value: Uint8Array): Account {
  const { lamports, data, owner, executable, rentEpoch } = decodeAccount(value)
  return new Account(lamports, data, owner, executable, rentEpoch)
}

function failureOf(failed: FailedTransactionMetadata): VmResult {
  // Rust's own rendering names every error, nested ones too; the typed getters give numbers without names.
  const reason = / err: (.*?), meta: TransactionMetadata /s.exec(failed.toString())?.[1] ?? failed.toString()
  if (reason === 'SignatureFailure') {
    return { status: 'badSignature', reason, charged: false, computeUnits: 0 }
  }
  const meta = failed.meta()
  return {
    status: 'failed',
    reason,
    // Refused before it ran, LiteSVM gives no signature back; once it has charged the fee it does.
    charged: meta.signature().some((byte) => byte !== 0),
    computeUnits: Number(meta.computeUnitsConsumed()),
  }
}
