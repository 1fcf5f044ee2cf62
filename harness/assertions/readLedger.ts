import { createPublicKey, verify } from 'node:crypto'
import { createRpc } from '../devnet/createRpc.ts'
import { HarnessError } from '../errors.ts'

/** Balances by arithmetic. */
export type Ledger = {
  readonly head: { readonly number: number; readonly hash: string }
  /** Lamports by key, lowercase hex. */
  readonly lamports: ReadonlyMap<string, bigint>
  readonly deposits: number
  readonly transfers: number
  /** Transfers of more than there was: charged, and no more. */
  readonly failed: number
  /** Envelopes that nothing came of. */
  readonly refused: number
}

type RpcBlock = {
  readonly number: string
  readonly hash: string
  readonly transactions: readonly {
    readonly to: string | null
    readonly input: string
    readonly value: string
  }[]
}
type RpcReceipt = { readonly status: string }

const router = '0x000000000000000000000000000000000053564d'
const magic = '0x53564d'
const depositMark = 0x81
const lamportsPerSignature = 5_000n
/** A plain account holds so much at least, or nothing. */
const rentExempt = 890_880n
const weiPerLamport = 1_000_000_000n
/** A transaction names one of so many blocks before its own. */
const blockhashWindow = 150
/** DER before the 32 bytes of an ed25519 public key. */
const spki = Buffer.from('302a300506032b6570032100', 'hex')
const portion = 50

/**
 * The balances that deposits and plain transfers leave, worked out block by block from what the node answers by JSON-RPC. No code of
 * the sidecar has a part in it: envelopes are taken apart, signatures checked and fees charged here, by the rules of the
 * README. It knows deposits above rent, System transfers of one signature, and no more.
 *
 * @throws HarnessError `LEDGER_UNSUITABLE`: the chain holds an envelope that it cannot judge
 */
export async function readLedger(rpcUrl: string): Promise<Ledger> {
  const rpc = createRpc(rpcUrl)
  const newest = Number(await rpc.call<string>('eth_blockNumber'))
  const lamports = new Map<string, bigint>()
  const executed = new Set<string>()
  const hashes: string[] = []
  const count = { deposits: 0, transfers: 0, failed: 0, refused: 0 }
  for (let first = 0; first <= newest; first += portion) {
    const numbers = Array.from({ length: Math.min(portion, newest + 1 - first) }, (_, index) => first + index)
    const ask = (method: string, ...more: unknown[]) =>
      numbers.map((number) => ({ method, params: [`0x${number.toString(16)}`, ...more] }))
    const blocks = await rpc.batch<RpcBlock>(ask('eth_getBlockByNumber', true))
    const receipts = await rpc.batch<RpcReceipt[]>(ask('eth_getBlockReceipts'))
    for (const [index, block] of blocks.entries()) {
      for (const [place, transaction] of block.transactions.entries()) {
        const isEnvelope = transaction.to?.toLowerCase() === router && transaction.input.startsWith(magic)
        if (isEnvelope && receipts[index]![place]!.status === '0x1') apply(transaction, first + index)
      }
      hashes.push(block.hash)
    }
  }
  return { head: { number: newest, hash: hashes.at(-1)! }, lamports, ...count }

  function apply({ input, value }: RpcBlock['transactions'][number], number: number): void {
    const payload = Buffer.from(input.slice(magic.length), 'hex')
    const balance = (key: string) => lamports.get(key) ?? 0n
    if (payload[0] === depositMark && payload.length === 33) {
      const key = payload.subarray(1).toString('hex')
      lamports.set(key, balance(key) + BigInt(value) / weiPerLamport)
      if (!mayHold(balance(key)))
        throw unsuitable(number, `${key} with ${balance(key)} lamports, too few for rent`)
      count.deposits += 1
      return
    }
    const transfer = parseTransfer(payload, number)
    const window = hashes.slice(-blockhashWindow)
    if (
      !transfer.isSigned ||
      !window.includes(`0x${transfer.blockhash}`) ||
      executed.has(transfer.signature)
    ) {
      count.refused += 1
      return
    }
    const { from, to, amount } = transfer
    const afterFee = balance(from) - lamportsPerSignature
    // Who cannot pay is not charged, and what was not charged may come again.
    if (!mayHold(afterFee)) {
      count.refused += 1
      return
    }
    executed.add(transfer.signature)
    lamports.set(from, afterFee)
    if (!mayHold(afterFee - amount) || !mayHold(balance(to) + amount)) {
      count.failed += 1
      return
    }
    lamports.set(from, afterFee - amount)
    lamports.set(to, balance(to) + amount)
    count.transfers += 1
  }
}

const mayHold = (lamports: bigint) => lamports === 0n || lamports >= rentExempt

/** A legacy Solana transaction of one signature and one System transfer. */
function parseTransfer(bytes: Buffer, block: number) {
  const message = bytes.subarray(65)
  const keys = Array.from({ length: message[3]! }, (_, index) =>
    message.subarray(4 + 32 * index, 36 + 32 * index),
  )
  const after = 4 + 32 * keys.length
  const instruction = message.subarray(after + 33)
  const data = instruction.subarray(5)
  const isKnown =
    bytes[0] === 1 &&
    message[0] === 1 &&
    keys.length === 3 &&
    message[after + 32] === 1 &&
    keys[instruction[0]!]?.every((byte) => byte === 0) &&
    instruction[1] === 2 &&
    instruction[4] === 12 &&
    data.length === 12 &&
    data.readUInt32LE(0) === 2
  if (!isKnown) throw unsuitable(block, `${bytes.subarray(0, 16).toString('hex')}…`)
  const signature = bytes.subarray(1, 65)
  const from = keys[instruction[2]!]!
  const key = createPublicKey({ key: Buffer.concat([spki, keys[0]!]), format: 'der', type: 'spki' })
  return {
    isSigned: keys[0]!.equals(from) && verify(null, message, key, signature),
    signature: signature.toString('hex'),
    blockhash: message.subarray(after, after + 32).toString('hex'),
    from: from.toString('hex'),
    to: keys[instruction[3]!]!.toString('hex'),
    amount: data.readBigUInt64LE(4),
  }
}

const unsuitable = (block: number, came: string) =>
  new HarnessError(
    'LEDGER_UNSUITABLE',
    `expected deposits and System transfers of one signature in block ${block}, got ${came}`,
  )
