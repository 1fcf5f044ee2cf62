import { readCompactU16 } from './compactU16.ts'
import { decodeTransaction, MAX_TRANSACTION_BYTES } from './decodeTransaction.ts'
import type { Envelope, EnvelopeItem, RejectReason } from './types.ts'

/** First payload bytes with a meaning of their own; 1 to 19 is a signature count, so a transaction as it is. */
const BATCH = 0x80
const DEPOSIT = 0x81
const OPENING_BRACE = 0x7b
/** 19 signatures of 64 bytes are 1216 of the 1232 bytes of a packet: no transaction has more. */
const MAX_SIGNATURES = 19

export const WEI_PER_LAMPORT = 1_000_000_000n
const MAX_LAMPORTS = 2n ** 64n - 1n

/** Base64 of the largest transaction, and room for the JSON around it. Longer text is not even looked at. */
const MAX_BASE64 = 4 * Math.ceil(MAX_TRANSACTION_BYTES / 3)
const MAX_JSON = MAX_BASE64 + 1024

/**
 * Reads the payload of one envelope (what follows the `SVM` prefix) by its first byte. Never throws: what cannot be
 * read is `rejected`, or in a batch a rejected item.
 * @param value the call's value in wei
 */
export function parsePayload(payload: Uint8Array, value: bigint): Envelope {
  const first = payload[0]
  const payloadBytes = payload.length
  const reject = (reason: RejectReason): Envelope => ({
    kind: 'rejected',
    reason,
    payloadBytes,
    unspentWei: value,
  })
  const one = (item: EnvelopeItem): Envelope =>
    'rejected' in item
      ? reject(item.rejected)
      : { kind: 'transactions', items: [item], payloadBytes, unspentWei: value }

  if (first === undefined) return reject('empty')
  if (first >= 1 && first <= MAX_SIGNATURES) return one(decodeTransaction(payload))
  if (first === BATCH) {
    const items = readBatch(payload)
    return typeof items === 'string'
      ? reject(items)
      : { kind: 'transactions', items, payloadBytes, unspentWei: value }
  }
  if (first === DEPOSIT) {
    if (payload.length === 1) return reject('missing public key')
    if (payload.length < 33) return reject('truncated')
    if (payload.length > 33) return reject('trailing bytes')
    const whole = value / WEI_PER_LAMPORT
    const lamports = whole > MAX_LAMPORTS ? MAX_LAMPORTS : whole
    return {
      kind: 'deposit',
      pubkey: payload.subarray(1),
      lamports,
      payloadBytes,
      unspentWei: value - lamports * WEI_PER_LAMPORT,
    }
  }
  if (first === OPENING_BRACE) return one(readJson(payload))
  if (isBase64Character(first)) return one(readBase64(Buffer.from(payload).toString('latin1')))
  return reject('unknown encoding')
}

/** The batch's frame is read to its end before anything of it counts: a broken frame rejects all of it. */
function readBatch(payload: Uint8Array): EnvelopeItem[] | RejectReason {
  let offset = 1
  const count = readCompactU16(payload, offset)
  if (count < 0) return count === -1 ? 'truncated' : 'malformed'
  if (count >>> 2 === 0) return 'empty'
  offset += count & 3
  const items: EnvelopeItem[] = []
  for (let index = 0; index < count >>> 2; index++) {
    const length = readCompactU16(payload, offset)
    if (length < 0) return length === -1 ? 'truncated' : 'malformed'
    const start = offset + (length & 3)
    const end = start + (length >>> 2)
    if (end > payload.length) return 'truncated'
    items.push(decodeTransaction(payload.subarray(start, end)))
    offset = end
  }
  return offset === payload.length ? items : 'trailing bytes'
}

function readJson(payload: Uint8Array): EnvelopeItem {
  if (payload.length > MAX_JSON) return { rejected: 'too large' }
  let document: unknown
  try {
    document = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return { rejected: 'malformed' }
  }
  const text =
    typeof document === 'object' && document !== null && 'transaction' in document
      ? document.transaction
      : undefined
  return typeof text === 'string' ? readBase64(text) : { rejected: 'malformed' }
}

function readBase64(text: string): EnvelopeItem {
  if (text.length > MAX_BASE64) return { rejected: 'too large' }
  const bytes = Buffer.from(text, 'base64')
  // Node reads past what is no base64; only text that comes out again as it went in was base64.
  if (bytes.toString('base64') !== text) return { rejected: 'malformed' }
  return decodeTransaction(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
}

function isBase64Character(code: number): boolean {
  return (
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2b ||
    code === 0x2f
  )
}
