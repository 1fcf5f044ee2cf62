import type { Address } from 'viem'
import {
  type Block,
  CONTRACT_CREATION,
  EvmStatus,
  type TransactionColumns,
} from '../../notification/types.ts'
import { addressAt, uintAt } from '../decode/words.ts'
import { impactOf } from '../impactOf.ts'
import type { Memory, RememberedPayment } from '../memory.ts'
import { type BlockPayments, bitsAt, collectPayments, isEqual, type Place, paymentHash } from '../payments.ts'
import type { BlockActivity } from '../readActivity.ts'
import { inputOf, type RepeatedSenders, refOf } from '../rows.ts'
import type { Finding, PoisoningCase } from '../types.ts'

/** Bits, less one, of the most that is dust of the chain's own currency whatever was paid before: about 0.001. */
const DUST_WEI_BITS = 49
/** Dust of what was paid before has so many bits less: less than a 32nd of it. */
const DUST_BITS = 6
/** Transactions in one block that a person may have sent; who sends more is a service, and copies from no history. */
const MAX_ROWS_OF_A_PERSON = 4
/** Cases that a finding names. */
const MAX_CASES = 8

export type PoisoningResult = {
  readonly findings: readonly Finding[]
  /** What people paid in this block, signed by themselves: what later lookalikes are compared with. */
  readonly payments: BlockPayments
}

/** An asset's movement from one account to another, as places of bytes. */
type Movement = {
  /** Undefined: the chain's own currency. */
  readonly asset: Place | undefined
  readonly from: Place
  readonly to: Place
  /** 32 bytes. */
  readonly amount: Place
  /** By the account it left. */
  readonly signed: boolean
  /** Whether it is a payment to be remembered. */
  readonly remembered: boolean
  /** Of the payment it may be, and of the one it may be the answer to. */
  readonly hash: number
  readonly hashBack: number
}

/**
 * Address poisoning: an address that shares the first three and the last four digits with one that the victim really paid
 * within the memory appears beside the victim, by a transfer of nothing, of dust, or one in the victim's name that it did
 * not sign; so that it is copied from the history the next time. And the loss itself: the victim pays the lookalike.
 */
export function findPoisonings(
  block: Block,
  activity: BlockActivity,
  senders: RepeatedSenders,
  memory: Memory,
): PoisoningResult {
  const { transactions: columns } = block
  const isService = servicesOf(columns.count, senders)
  const own = collectPayments(columns.count)
  const paid = (hash: number, payer: Place, of: Place): RememberedPayment | undefined => {
    const here = own.find(hash, payer, of)
    return here ? { ...here, blockNumber: block.ref.number } : memory.lookalikePaid(hash, payer, of)
  }
  const judge = (movement: Movement): readonly PoisoningCase[] => {
    const { asset, from, to, amount, signed, remembered, hash, hashBack } = movement
    if (isEqual(from.bytes, from.at, to.bytes, to.at, 20)) return none
    const cases: PoisoningCase[] = []
    const bits = bitsAt(amount.bytes, amount.at)
    const before = paid(hash, from, to)
    if (before) {
      const form = bits < 0 ? 'zero-value' : signed ? 'paid' : 'forged'
      cases.push(caseOf(form, before, to, movement))
    }
    const received = paid(hashBack, to, from)
    if (received && isDust(bits, asset, received)) {
      cases.push(caseOf(bits < 0 ? 'zero-value' : 'dust', received, from, movement))
    }
    // Who pays a lookalike does not make it a counterparty.
    if (remembered && bits >= 0 && !before) own.add(hash, from, to, asset, bits)
    return cases
  }
  const isKnown = (hash: number) => own.holds(hash) || memory.holdsPayment(hash)

  const findings: Finding[] = []
  let next = 0
  for (let index = 0; index < columns.count; index++) {
    const isPersons = isService[index] === 0
    let cases: readonly PoisoningCase[] = none
    const native = nativeMovement(columns, index, isPersons, isKnown)
    if (native) cases = judge(native)
    while (next < activity.transfers.length && activity.transfers[next]!.index < index) next++
    const transfers = activity.transfers[next]
    if (transfers?.index === index) {
      for (const movement of tokenMovements(activity.bytes, columns, transfers, isPersons, isKnown)) {
        const more = judge(movement)
        if (more.length > 0) cases = cases.concat(more)
      }
    }
    if (cases.length > 0) findings.push(toFinding(columns, index, cases))
  }
  return { findings, payments: own }
}

const none: readonly PoisoningCase[] = []

/** 1 for the rows of senders that send many a block. */
function servicesOf(count: number, senders: RepeatedSenders): Uint8Array {
  const isService = new Uint8Array(count)
  for (const rows of senders) {
    if (rows.length > MAX_ROWS_OF_A_PERSON) for (const row of rows) isService[row] = 1
  }
  return isService
}

/** A plain payment of the chain's own currency: no calldata. Undefined where nobody is to be compared with it. */
function nativeMovement(
  columns: TransactionColumns,
  index: number,
  isPersons: boolean,
  isKnown: (hash: number) => boolean,
): Movement | undefined {
  const { senders, to, values, kinds, statuses } = columns
  if (kinds[index]! & CONTRACT_CREATION || inputOf(columns, index).length > 0) return undefined
  if (statuses[index] === EvmStatus.failed) return undefined
  const at = 20 * index
  const hash = paymentHash(senders, at, to, at)
  const hashBack = paymentHash(to, at, senders, at)
  if (!isPersons && !isKnown(hash) && !isKnown(hashBack)) return undefined
  return {
    asset: undefined,
    from: { bytes: senders, at },
    to: { bytes: to, at },
    amount: { bytes: values, at: 32 * index },
    signed: true,
    remembered: isPersons,
    ...{ hash, hashBack },
  }
}

/** One at a time: each is judged with what the one before it added. */
function* tokenMovements(
  bytes: Buffer,
  columns: TransactionColumns,
  { index, places }: BlockActivity['transfers'][number],
  isPersons: boolean,
  isKnown: (hash: number) => boolean,
): Generator<Movement> {
  const { senders, to: targets, kinds } = columns
  const isCall = !(kinds[index]! & CONTRACT_CREATION)
  let hasPaid = false
  for (const { token, from, to, amount } of places) {
    // Signed: the sender called the token itself, and it is the sender's that moved. What another contract moved of the
    // sender's (a swap) is the sender's own doing too, but no payment to anybody.
    const isSenders = isEqual(bytes, from, senders, 20 * index, 20)
    const signed = isSenders && isCall && isEqual(bytes, token, targets, 20 * index, 20)
    if (isSenders && !signed) continue
    // One a transaction: what else the token moves is its fee.
    const remembered = signed && isPersons && !hasPaid
    hasPaid ||= signed
    const hash = paymentHash(bytes, from, bytes, to)
    const hashBack = paymentHash(bytes, to, bytes, from)
    if (!remembered && !isKnown(hash) && !isKnown(hashBack)) continue
    yield {
      asset: { bytes, at: token },
      from: { bytes, at: from },
      to: { bytes, at: to },
      amount: { bytes, at: amount },
      ...{ signed, remembered, hash, hashBack },
    }
  }
}

function isDust(bits: number, asset: Place | undefined, before: RememberedPayment): boolean {
  if (bits < 0) return true
  if (asset === undefined && bits <= DUST_WEI_BITS) return true
  return assetOf(asset) === before.asset && bits + DUST_BITS <= before.bits
}

const NATIVE: Address = `0x${'00'.repeat(20)}`
const assetOf = (asset: Place | undefined): Address => (asset ? hexAt(asset) : NATIVE)
const bufferOf = ({ bytes }: Place) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
const hexAt = (place: Place): Address => addressAt(bufferOf(place), place.at)

function caseOf(
  form: PoisoningCase['form'],
  { payer, payee, blockNumber }: RememberedPayment,
  lookalike: Place,
  { asset, amount }: Movement,
): PoisoningCase {
  return {
    form,
    victim: payer,
    lookalike: hexAt(lookalike),
    counterparty: payee,
    counterpartyBlock: Number(blockNumber),
    asset: asset ? hexAt(asset) : null,
    amount: `${uintAt(bufferOf(amount), amount.at)}`,
  }
}

function toFinding(columns: TransactionColumns, index: number, cases: readonly PoisoningCase[]): Finding {
  // A payment to a lookalike is the loss itself: it is told first.
  const sorted = cases.toSorted((a, b) => Number(b.form === 'paid') - Number(a.form === 'paid'))
  const { form, victim, lookalike, counterparty, counterpartyBlock } = sorted[0]!
  const risk = form === 'paid' ? 95 : 60
  const others = cases.length === 1 ? '' : `, and ${cases.length - 1} more like it`
  return {
    kind: 'address-poisoning',
    rule: { name: 'lookalike of an address that was really paid', version: 1 },
    impact: impactOf(risk),
    risk,
    summary:
      `Transaction ${index}: ${lookalike} looks like ${counterparty}, which ${victim} paid in block ${counterpartyBlock} ` +
      `(${words[form]})${others}.`,
    recommendation:
      form === 'paid'
        ? { action: 'alertStakeholders', text: 'Tell the payer at once: the money went to a lookalike.' }
        : {
            action: 'blockSuspiciousActivity',
            text: 'Hide the transfer from histories that addresses are copied from, and warn whoever pays the lookalike.',
          },
    transactions: [refOf(columns, index)],
    evidence: { count: cases.length, cases: sorted.slice(0, MAX_CASES) },
  }
}

const words: Readonly<Record<PoisoningCase['form'], string>> = {
  'zero-value': 'a transfer of nothing',
  dust: 'a transfer of dust',
  forged: 'a transfer in its name that it did not sign',
  paid: 'and now paid the lookalike itself',
}
