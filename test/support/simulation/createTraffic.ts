import type { TransactionFields } from '../../../harness/feed/index.ts'
import type { Random } from '../../../harness/random.ts'
import { createSvmTraffic, type SvmTrafficState } from '../../../harness/svm/createSvmTraffic.ts'
import { encodeEnvelope } from '../../../harness/svm/encodeEnvelope.ts'
import { encodeTransaction } from '../../../harness/svm/encodeTransaction.ts'
import { transferLamports } from '../../../harness/svm/instructions.ts'
import { deriveKeypair, type SvmKeypair } from '../../../harness/svm/keypair.ts'
import type { BlockRef } from '../../../sidecar/notification/types.ts'

type Hex = `0x${string}`

/** What a transaction does to accounts of the plain ledger, as its maker knows it. Keys are hex. */
export type LedgerIntent =
  | { readonly kind: 'deposit'; readonly to: string; readonly lamports: bigint }
  | {
      readonly kind: 'transfer'
      readonly from: string
      readonly to: string
      readonly lamports: bigint
      readonly blockhash: Hex
      /** Names the transaction: it may be included again. */
      readonly transaction: string
    }

export type BlockContents = {
  readonly transactions: readonly TransactionFields[]
  /** By transaction index. */
  readonly intents: ReadonlyMap<number, LedgerIntent>
  readonly state: SvmTrafficState
}

export type Traffic = {
  /**
   * The transactions of one block.
   * @param ancestors canonical before it, oldest first, at most 150
   * @param state what the parent block left, undefined for the first
   */
  next(ancestors: readonly BlockRef[], state: SvmTrafficState | undefined): BlockContents
}

const router: Hex = '0x000000000000000000000000000000000053564d'
const WEI_PER_LAMPORT = 1_000_000_000n
const LEDGER_WALLETS = 3
/** Already signed envelopes that are kept to be sent again, on whatever branch. */
const POOL = 64

type Sent = { readonly input: Hex; readonly value: bigint; readonly intent: LedgerIntent | undefined }

/** Traffic of every kind: plain calls, the harness's SVM world, a ledger of plain transfers, and what was sent before. */
export function createTraffic(seed: string, random: Random): Traffic {
  const world = createSvmTraffic(seed)
  const fresh = world.state()
  const wallets = Array.from({ length: LEDGER_WALLETS }, (_, index) => deriveKeypair(seed, `ledger ${index}`))
  const contracts = Array.from({ length: 5 }, () => toHex(random.bytes(20)))
  const selectors = Array.from({ length: 4 }, () => toHex(random.bytes(4)))
  let pool: Sent[] = []
  let made = 0

  const plainCall = (): TransactionFields => {
    const input: Hex = random.chance(0.3)
      ? '0x'
      : `${random.pick(selectors)}${toHex(random.bytes(random.below(40))).slice(2)}`
    return {
      to: random.chance(0.05) ? null : random.pick(contracts),
      input,
      value: random.chance(0.5) ? 0n : BigInt(random.uint32()),
      status: random.weighted([
        ['succeeded', 6],
        ['failed', 3],
        ['unknown', 1],
      ] as const),
      type: random.pick([0, 1, 2, 3]),
      gasUsed: 21_000 + random.below(400_000),
      gasLimit: 450_000,
    }
  }
  const ledgerDeposit = (): Sent => {
    const to = random.pick(wallets)
    const lamports = 1_000_000_000n + BigInt(random.below(1_000_000))
    return {
      input: toHex(encodeEnvelope({ depositTo: to.publicKey })),
      value: lamports * WEI_PER_LAMPORT + BigInt(random.below(2)),
      intent: { kind: 'deposit', to: toKey(to.publicKey), lamports },
    }
  }
  const ledgerTransfer = (ancestors: readonly BlockRef[]): Sent => {
    const from: SvmKeypair = random.pick(wallets)
    // A new key, a wallet (perhaps the payer itself), and far too much.
    const to = random.chance(0.3) ? deriveKeypair(seed, `fresh ${random.below(6)}`) : random.pick(wallets)
    const lamports = random.weighted([
      [1n + BigInt(random.below(900_000)), 3],
      [890_880n + BigInt(random.below(900_000)), 5],
      [10n ** 15n, 1],
    ])
    const age = random.chance(0.8) ? random.below(4) : random.below(150)
    const blockhash = ancestors[Math.max(0, ancestors.length - 1 - age)]!.hash
    const transaction = encodeTransaction({
      signers: [from],
      instructions: [transferLamports(from.publicKey, to.publicKey, lamports)],
      blockhash: Buffer.from(blockhash.slice(2), 'hex'),
    })
    return {
      input: toHex(encodeEnvelope({ transaction })),
      value: 0n,
      intent: {
        kind: 'transfer',
        from: toKey(from.publicKey),
        to: toKey(to.publicKey),
        lamports,
        blockhash,
        transaction: toKey(transaction.subarray(1, 65)),
      },
    }
  }
  const worldEnvelope = (ancestors: readonly BlockRef[]): Sent => {
    const recent = ancestors.map(({ hash }) => Buffer.from(hash.slice(2), 'hex'))
    const { data, valueWei } = world.next(random, recent)
    return { input: toHex(data), value: valueWei, intent: undefined }
  }
  const envelope = (ancestors: readonly BlockRef[]): Sent => {
    made++
    const repeats = pool.length > 0 && random.chance(0.12)
    const sent = repeats
      ? random.pick(pool)
      : made <= 2 * LEDGER_WALLETS || random.chance(0.05)
        ? ledgerDeposit()
        : random.chance(0.3)
          ? ledgerTransfer(ancestors)
          : worldEnvelope(ancestors)
    if (!repeats) pool = [...pool.slice(1 - POOL), sent]
    return sent
  }

  return {
    next(ancestors, state) {
      world.restore(state ?? fresh)
      const isFirst = state === undefined
      const count =
        isFirst && random.chance(0.7)
          ? 24
          : random.weighted([
              [0, 1],
              [random.below(4), 4],
              [2 + random.below(8), 4],
            ])
      const transactions: TransactionFields[] = []
      const intents = new Map<number, LedgerIntent>()
      for (let index = 0; index < count; index++) {
        if (!isFirst && random.chance(0.5)) {
          transactions.push(plainCall())
          continue
        }
        const { input, value, intent } = envelope(ancestors)
        // One in twenty fails on the EVM, or goes elsewhere: then it is no envelope.
        const fate = random.weighted([
          ['envelope', 18],
          ['failed', 1],
          ['elsewhere', 1],
        ] as const)
        transactions.push({
          to: fate === 'elsewhere' ? contracts[0]! : router,
          input,
          value,
          status: fate === 'failed' ? 'failed' : 'succeeded',
        })
        if (fate === 'envelope' && intent !== undefined) intents.set(index, intent)
      }
      return { transactions, intents, state: world.state() }
    },
  }
}

export const toKey = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
const toHex = (bytes: Uint8Array): Hex => `0x${toKey(bytes)}`
