import { hash } from 'node:crypto'
import type { TransactionColumns } from '#exex/server'
import { createSigner, type Signer } from '../ethereum/createSigner.ts'
import { envelopeGas } from '../ethereum/envelopeGas.ts'
import type { Keccak256 } from '../ethereum/keccak256.ts'
import type { Random } from '../random.ts'
import {
  createSvmTraffic,
  type RecentHashes,
  type SvmTraffic,
  type SvmTrafficState,
} from '../svm/createSvmTraffic.ts'
import { routerAddress } from '../svm/encodeEnvelope.ts'
import { columnsOf, type TransactionRow } from './columns.ts'

export type EnvelopeRowsState = {
  readonly nonces: readonly bigint[]
  readonly svm: SvmTrafficState
}

/** Envelopes as transactions that their senders signed, with what their receipts would say. */
export type EnvelopeRows = {
  make(
    random: Random,
    recent: RecentHashes,
    count: number,
  ): {
    readonly columns: TransactionColumns
    /** For each row, as `EnvelopeCall.youngestHash`. */
    readonly youngestHashes: readonly (number | undefined)[]
  }
  state(): EnvelopeRowsState
  restore(state: EnvelopeRowsState): void
}

const senders = 16
/** As a receipt has it. */
const status = { failed: 0, succeeded: 1 } as const
const gwei = 1_000_000_000n

/**
 * @param accounts names the Ethereum accounts that sign, so that two users of one chain do not share nonces; the SVM
 *   world is that of `seed` whatever they are
 */
export function createEnvelopeRows(
  seed: string | number,
  keccak256: Keccak256,
  accounts = 'canonical',
): EnvelopeRows {
  let world: { readonly signers: readonly Signer[]; readonly svm: SvmTraffic } | undefined
  let state: EnvelopeRowsState = {
    nonces: Array.from({ length: senders }, () => 0n),
    svm: { step: 0, made: 0, last: undefined },
  }
  return {
    make: (random, recent, count) => {
      if (count === 0) return { columns: columnsOf([]), youngestHashes: [] }
      // Half a second of curve arithmetic: not for a replay without envelopes.
      world ??= { signers: signersOf(`${seed}\0${accounts}`, keccak256), svm: createSvmTraffic(seed) }
      const { signers, svm } = world
      svm.restore(state.svm)
      const nonces = [...state.nonces]
      const youngestHashes: (number | undefined)[] = []
      const rows: TransactionRow[] = []
      for (let made = 0; made < count; made++) {
        const call = svm.next(random, recent)
        const from = random.below(senders)
        const signer = signers[from]!
        const nonce = nonces[from]!
        nonces[from] = nonce + 1n
        // Now and then the call itself failed: then nothing of it may run.
        const failed = call.kind === 'systemTransfer' && random.below(50) === 0
        const gas = envelopeGas(call.data)
        const maxFeePerGas = 30n * gwei + BigInt(random.below(1000)) * 1_000_000n
        const transaction = {
          nonce,
          to: routerAddress,
          value: call.valueWei,
          data: call.data,
          gasLimit: gas,
          maxFeePerGas,
          maxPriorityFeePerGas: gwei,
        }
        youngestHashes.push(call.youngestHash)
        rows.push({
          hash: signer.sign(transaction).hash,
          sender: signer.address,
          to: routerAddress,
          kind: 2,
          status: failed ? status.failed : status.succeeded,
          value: call.valueWei,
          nonce,
          gasLimit: gas,
          gasUsed: gas,
          gasPrice: maxFeePerGas,
          input: call.data,
        })
      }
      state = { nonces, svm: svm.state() }
      return { columns: columnsOf(rows), youngestHashes }
    },
    state: () => state,
    restore: (to) => {
      state = to
    },
  }
}

function signersOf(name: string, keccak256: Keccak256): Signer[] {
  return Array.from({ length: senders }, (_, index) =>
    // The recordings are of mainnet, so chain 1.
    createSigner(hash('sha256', `${name}\0sender\0${index}`, 'buffer'), 1n, keccak256),
  )
}
