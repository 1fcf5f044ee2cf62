import { Keypair, PublicKey, SystemProgram, Transaction } from '@solana/web3.js'
import { type Address, keccak256, numberToHex, toBytes } from 'viem'
import { type Block, type BlockRef, EvmStatus } from '../../../sidecar/notification/types.ts'

export const router: Address = '0x000000000000000000000000000000000053564d'

/** One transfer as raw LiteSVM takes it. */
export type Transfer = { readonly bytes: Uint8Array; readonly from: Uint8Array; readonly to: Uint8Array }

/** A chain that funds senders by deposit, then has each transfer once, to a recipient of its own. */
export function chainOfTransfers(
  count: number,
  perBlock: number,
): { readonly funding: Block[]; readonly blocks: Block[]; readonly transfers: Transfer[] } {
  const senders = Array.from({ length: count }, (_, index) => Keypair.fromSeed(seedOf(index)))
  let parent = refOf(0n)
  const chain = (inputs: readonly Uint8Array[], value: bigint): Block[] => {
    const blocks: Block[] = []
    for (let start = 0; start < inputs.length; start += perBlock) {
      const ref = refOf(parent.number + 1n)
      blocks.push(blockOf(ref, parent, inputs.slice(start, start + perBlock), value))
      parent = ref
    }
    return blocks
  }
  const funding = chain(
    senders.map(({ publicKey }) => Uint8Array.from([0x53, 0x56, 0x4d, 0x81, ...publicKey.toBytes()])),
    10n ** 19n,
  )
  const recentBlockhash = new PublicKey(toBytes(parent.hash)).toBase58()
  const transfers = senders.map((sender, index): Transfer => {
    const toPubkey = new PublicKey(seedOf(index + count))
    const transaction = new Transaction({ recentBlockhash, feePayer: sender.publicKey })
    transaction.add(SystemProgram.transfer({ fromPubkey: sender.publicKey, toPubkey, lamports: 1_000_000 }))
    transaction.sign(sender)
    const from = sender.publicKey.toBytes()
    return { bytes: new Uint8Array(transaction.serialize()), from, to: toPubkey.toBytes() }
  })
  const blocks = chain(
    transfers.map(({ bytes }) => Uint8Array.from([0x53, 0x56, 0x4d, ...bytes])),
    0n,
  )
  return { funding, blocks, transfers }
}

const refOf = (number: bigint): BlockRef => ({ number, hash: keccak256(toBytes(`bench:${number}`)) })

function seedOf(index: number): Uint8Array {
  return toBytes(keccak256(toBytes(`key:${index}`)))
}

function blockOf(ref: BlockRef, parent: BlockRef, inputs: readonly Uint8Array[], value: bigint): Block {
  const count = inputs.length
  const repeat = (bytes: Uint8Array): Uint8Array => {
    const column = new Uint8Array(bytes.length * count)
    for (let index = 0; index < count; index++) column.set(bytes, index * bytes.length)
    return column
  }
  let end = 0
  return {
    ref,
    parent,
    timestamp: 1_700_000_000n + ref.number,
    gasLimit: 30_000_000n,
    gasUsed: 0n,
    baseFeePerGas: 7n,
    origin: undefined,
    transactions: {
      count,
      hashes: new Uint8Array(32 * count),
      senders: new Uint8Array(20 * count),
      to: repeat(toBytes(router)),
      kinds: repeat(Uint8Array.of(2)),
      statuses: repeat(Uint8Array.of(EvmStatus.succeeded)),
      selectors: Uint8Array.from(inputs.flatMap((input) => [...input.subarray(0, 4)])),
      values: repeat(toBytes(numberToHex(value, { size: 32 }))),
      nonces: new Uint8Array(8 * count),
      gasLimits: new Uint32Array(count),
      gasUsed: new Uint32Array(count),
      gasPrices: new Uint8Array(8 * count),
      inputEnds: Uint32Array.from(inputs, (input) => (end += input.length)),
      inputs: Uint8Array.from(Buffer.concat(inputs)),
      logEnds: new Uint32Array(count),
      logs: new Uint8Array(0),
    },
  }
}
