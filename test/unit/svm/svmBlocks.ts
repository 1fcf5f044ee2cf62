import {
  ComputeBudgetProgram,
  Keypair,
  PublicKey,
  SystemProgram,
  Transaction,
  type TransactionInstruction,
} from '@solana/web3.js'
import { type Address, type Hash, keccak256, numberToHex, toBytes } from 'viem'
import { type Block, type BlockRef, EvmStatus } from '../../../sidecar/notification/types.ts'
import { readEnvelopes } from '../../../sidecar/svm/readEnvelopes.ts'
import type { SvmExecutor, SvmOutcome } from '../../../sidecar/svm/types.ts'

export const router: Address = '0x000000000000000000000000000000000053564d'
export const GWEI = 10n ** 9n

/** One Ethereum transaction, as far as this stage looks at it. */
export type Call = {
  readonly to?: Address
  readonly input: Uint8Array
  readonly value?: bigint
  readonly status?: number
  readonly kind?: number
}

/** A hash that follows from the number and a branch name. */
export const hashOf = (number: bigint, branch = 'main'): Hash => keccak256(toBytes(`${branch}:${number}`))
export const refOf = (number: bigint, branch = 'main'): BlockRef => ({ number, hash: hashOf(number, branch) })

/** A block on `parent` with these calls in its columns. */
export function blockOf(ref: BlockRef, parent: BlockRef, calls: readonly Call[]): Block {
  const count = calls.length
  const column = (width: number, fill: (call: Call, index: number) => Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(width * count)
    for (const [index, call] of calls.entries())
      bytes.set(fill(call, index).subarray(0, width), index * width)
    return bytes
  }
  const ends: number[] = []
  for (const { input } of calls) ends.push((ends.at(-1) ?? 0) + input.length)
  return {
    ref,
    parent,
    timestamp: 1_700_000_000n + ref.number * 12n,
    gasLimit: 30_000_000n,
    gasUsed: 0n,
    baseFeePerGas: 7n,
    origin: undefined,
    transactions: {
      count,
      hashes: column(32, (_, index) => toBytes(keccak256(toBytes(`${ref.hash}${index}`)))),
      senders: new Uint8Array(20 * count),
      to: column(20, ({ to = router }) => toBytes(to)),
      kinds: column(1, ({ kind = 2 }) => Uint8Array.of(kind)),
      statuses: column(1, ({ status = EvmStatus.succeeded }) => Uint8Array.of(status)),
      selectors: column(4, ({ input }) => input),
      values: column(32, ({ value = 0n }) => toBytes(numberToHex(value, { size: 32 }))),
      nonces: new Uint8Array(8 * count),
      gasLimits: new Uint32Array(count),
      gasUsed: new Uint32Array(count),
      gasPrices: new Uint8Array(8 * count),
      inputEnds: Uint32Array.from(ends),
      inputs: Uint8Array.from(Buffer.concat(calls.map(({ input }) => input))),
      logEnds: new Uint32Array(count),
      logs: new Uint8Array(0),
    },
  }
}

/** Calldata of an envelope with this payload. */
export const envelope = (payload: Uint8Array): Uint8Array => Uint8Array.from([0x53, 0x56, 0x4d, ...payload])
export const call = (payload: Uint8Array, value = 0n): Call => ({ input: envelope(payload), value })
export const deposit = (pubkey: PublicKey | Uint8Array, lamports: bigint, wei = 0n): Call =>
  call(
    Uint8Array.from([0x81, ...(pubkey instanceof PublicKey ? pubkey.toBytes() : pubkey)]),
    lamports * GWEI + wei,
  )

export function batch(transactions: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from([
    0x80,
    ...compactU16(transactions.length),
    ...transactions.flatMap((bytes) => [...compactU16(bytes.length), ...bytes]),
  ])
}

export function compactU16(value: number): number[] {
  if (value < 0x80) return [value]
  if (value < 0x4000) return [(value & 0x7f) | 0x80, value >> 7]
  return [(value & 0x7f) | 0x80, ((value >> 7) & 0x7f) | 0x80, value >> 14]
}

/** The same key pair for the same number, in every run. */
export function keypair(seed: number): Keypair {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setUint32(0, seed)
  return Keypair.fromSeed(bytes)
}

/** A signed wire transaction naming an Ethereum block hash. */
export function signed(
  blockHash: Hash,
  signers: readonly [Keypair, ...Keypair[]],
  instructions: readonly TransactionInstruction[],
): Uint8Array {
  const transaction = new Transaction({
    recentBlockhash: new PublicKey(toBytes(blockHash)).toBase58(),
    feePayer: signers[0].publicKey,
  })
  transaction.add(...instructions)
  transaction.sign(...signers)
  return new Uint8Array(transaction.serialize())
}

export function transfer(
  from: Keypair,
  to: PublicKey,
  lamports: number | bigint,
  blockHash: Hash,
): Uint8Array {
  return signed(
    blockHash,
    [from],
    [SystemProgram.transfer({ fromPubkey: from.publicKey, toPubkey: to, lamports })],
  )
}

export const setComputeUnits = (units: number): TransactionInstruction =>
  ComputeBudgetProgram.setComputeUnitLimit({ units })

/** Runs blocks one on the other, every envelope admitted. */
export async function runBlocks(
  executor: SvmExecutor,
  blocks: readonly Block[],
): Promise<{ readonly block: Block; readonly outcome: SvmOutcome }[]> {
  const done: { readonly block: Block; readonly outcome: SvmOutcome }[] = []
  for (const block of blocks) {
    const envelopes = readEnvelopes(block, { router })
    done.push({ block, outcome: await executor.execute(block, envelopes, [...envelopes.keys()]) })
  }
  return done
}
