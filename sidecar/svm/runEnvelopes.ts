import type { Block } from '../notification/types.ts'
import type { AccountLedger, TouchedAccount } from './accountLedger.ts'
import { decodeAccount, encodeAccount, plainAccount } from './accountValue.ts'
import { refusalOf } from './admission.ts'
import { keyOf } from './keyOf.ts'
import { isProgramValue, type Vm } from './liteSvm.ts'
import { WEI_PER_LAMPORT } from './parsePayload.ts'
import type { RecentBlocks } from './recentBlocks.ts'
import type { SignatureChecker } from './signatureChecker.ts'
import { computeBudgetProgram, systemProgram } from './solanaPrograms.ts'
import type { Envelope, RejectReason, SolanaTransaction, SvmResult } from './types.ts'

const MAX_LAMPORTS = 2n ** 64n - 1n
/** Number of the System program's Transfer. */
const SYSTEM_TRANSFER = 2

/** What a block runs on. */
export type RunParts = {
  readonly vm: Vm
  readonly ledger: AccountLedger
  readonly recent: RecentBlocks
  readonly checker: SignatureChecker | undefined
}

/** What a block's envelopes came to; what they changed is still to be read from the VM. */
export type EnvelopesRun = {
  readonly results: SvmResult[]
  readonly touched: Map<string, TouchedAccount>
  readonly signatures: Uint8Array[]
  unspentWei: bigint
}

/**
 * Runs the admitted envelopes of a block in order, transactions and deposits alike, and gives a result for each item
 * that ran or was rejected. No input throws.
 */
export function runEnvelopes(
  block: Block,
  envelopes: ReadonlyMap<number, Envelope>,
  admitted: ReadonlySet<number>,
  { vm, ledger, recent, checker }: RunParts,
): EnvelopesRun {
  const run: EnvelopesRun = { results: [], touched: new Map(), signatures: [], unspentWei: 0n }
  const { results, touched } = run
  const { number } = block.ref
  /** As the block found it: what a touched account was before, and what an untouched one is. */
  const read = (pubkey: Uint8Array, key: string): Uint8Array | undefined =>
    touched.has(key) ? touched.get(key)!.before : ledger.read(pubkey, key)
  const touch = (pubkey: Uint8Array, key: string): TouchedAccount => {
    const known = touched.get(key)
    if (known !== undefined) return known
    const account: TouchedAccount = { pubkey, before: ledger.read(pubkey, key), changed: 'nothing' }
    touched.set(key, account)
    return account
  }
  let clockSet = false

  const runTransaction = (transaction: SolanaTransaction, transactionIndex: number, item: number): void => {
    const signature = new Uint8Array(transaction.signatures[0]!)
    const signatureKey = keyOf(transaction.signatures[0]!)
    const result = (status: SvmResult['status'], reason: string | undefined, computeUnits: number): void => {
      results.push({ transactionIndex, item, status, reason, signature, computeUnits })
    }
    const writable = transaction.writableKeys.map((pubkey) => ({ pubkey, key: keyOf(pubkey) }))
    const refusal = refusalOf(transaction, signatureKey, writable, number, {
      recent,
      genesis: vm.genesis,
      read,
    })
    if (refusal !== undefined) {
      result('rejected', refusal, 0)
      return
    }
    const checked = checks?.resultOf(transaction)
    if (checked === 'bad') {
      result('rejected', 'bad signature', 0)
      return
    }
    if (!clockSet) vm.setClock(number, block.timestamp)
    clockSet = true
    const accounts: TouchedAccount[] = []
    for (const { pubkey, key } of writable) {
      if (!vm.genesis.has(key)) accounts.push(touch(pubkey, key))
    }
    const { status, reason, charged, computeUnits } = vm.run(transaction, checked === undefined)
    if (status === 'badSignature') {
      result('rejected', 'bad signature', 0)
      return
    }
    if (charged) {
      recent.markRun(signatureKey)
      run.signatures.push(signature)
      // The fee payer comes first. Of a failure the fee is all that stays.
      const changed = status === 'executed' && !movesOnlyLamports(transaction) ? 'anything' : 'lamports'
      for (const account of status === 'executed' ? accounts : accounts.slice(0, 1)) {
        if (account.changed !== 'anything') account.changed = changed
      }
    }
    result(status, reason, computeUnits)
  }

  const reject = (transactionIndex: number, item: number, reason: RejectReason): void => {
    results.push({
      transactionIndex,
      item,
      status: 'rejected',
      reason,
      signature: undefined,
      computeUnits: 0,
    })
  }

  const credit = (pubkey: Uint8Array, lamports: bigint, transactionIndex: number): void => {
    const key = keyOf(pubkey)
    const value = vm.read(pubkey)
    if (vm.genesis.has(key) || isProgramValue(value)) {
      run.unspentWei += lamports * WEI_PER_LAMPORT
      reject(transactionIndex, 0, 'denied program')
      return
    }
    const found = value === undefined ? plainAccount : decodeAccount(value)
    const room = MAX_LAMPORTS - found.lamports
    const credited = lamports < room ? lamports : room
    run.unspentWei += (lamports - credited) * WEI_PER_LAMPORT
    if (credited > 0n) {
      const account = touch(pubkey, key)
      if (account.changed === 'nothing') account.changed = 'lamports'
      vm.write(pubkey, encodeAccount({ ...found, lamports: found.lamports + credited }))
    }
    const [reason, signature] = [undefined, undefined]
    results.push({ transactionIndex, item: 0, status: 'deposited', reason, signature, computeUnits: 0 })
  }

  const order = [...envelopes.keys()].sort((a, b) => a - b)
  const checks = checker?.start(transactionsOf(order, envelopes, admitted))
  for (const transactionIndex of order) {
    const envelope = envelopes.get(transactionIndex)!
    run.unspentWei += envelope.unspentWei
    const isAdmitted = admitted.has(transactionIndex)
    if (envelope.kind === 'rejected') {
      reject(transactionIndex, 0, envelope.reason)
    } else if (envelope.kind === 'deposit') {
      if (isAdmitted) credit(envelope.pubkey, envelope.lamports, transactionIndex)
      else run.unspentWei += envelope.lamports * WEI_PER_LAMPORT
    } else {
      for (const [item, content] of envelope.items.entries()) {
        if ('rejected' in content) reject(transactionIndex, item, content.rejected)
        else if (isAdmitted) runTransaction(content, transactionIndex, item)
      }
    }
  }
  checks?.stop()
  return run
}

function transactionsOf(
  order: readonly number[],
  envelopes: ReadonlyMap<number, Envelope>,
  admitted: ReadonlySet<number>,
): SolanaTransaction[] {
  const transactions: SolanaTransaction[] = []
  for (const index of order) {
    const envelope = envelopes.get(index)!
    if (envelope.kind !== 'transactions' || !admitted.has(index)) continue
    for (const item of envelope.items) if (!('rejected' in item)) transactions.push(item)
  }
  return transactions
}

/** System transfers, and fee settings: nothing here can change an account's owner or data. */
function movesOnlyLamports({ instructions }: SolanaTransaction): boolean {
  return instructions.every(({ programId, data }) => {
    if (Buffer.compare(programId, computeBudgetProgram) === 0) return true
    const isTransfer = data[0] === SYSTEM_TRANSFER && data[1] === 0 && data[2] === 0 && data[3] === 0
    return isTransfer && Buffer.compare(programId, systemProgram) === 0
  })
}
