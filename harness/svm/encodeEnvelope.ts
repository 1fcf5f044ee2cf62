import { compactU16 } from './compactU16.ts'

/** What a call to the router address can carry. Transactions are in Solana's wire format. */
export type EnvelopeContent =
  | { readonly transaction: Uint8Array }
  | { readonly batch: readonly Uint8Array[] }
  /** 32 bytes; the call's value is what is credited, 1 gwei a lamport. */
  | { readonly depositTo: Uint8Array }
  | { readonly json: Uint8Array }
  | { readonly base64: Uint8Array }
  /** The payload as it is, for what no encoder would make. */
  | { readonly payload: Uint8Array }

/** `svm.router` as it is by default: ASCII `SVM` at the end of a zero address. */
export const routerAddress: Uint8Array = Buffer.from('000000000000000000000000000000000053564d', 'hex')

const magic = Buffer.from('SVM')

/** The calldata that carries `content` to the router. */
export function encodeEnvelope(content: EnvelopeContent): Buffer {
  return Buffer.concat([magic, payloadOf(content)])
}

function payloadOf(content: EnvelopeContent): Uint8Array {
  if ('transaction' in content) return content.transaction
  if ('depositTo' in content) return Buffer.concat([Buffer.of(0x81), content.depositTo])
  if ('json' in content) return Buffer.from(JSON.stringify({ transaction: toBase64(content.json) }))
  if ('base64' in content) return Buffer.from(toBase64(content.base64))
  if ('payload' in content) return content.payload
  const items = content.batch.flatMap((transaction) => [compactU16(transaction.length), transaction])
  return Buffer.concat([Buffer.of(0x80), compactU16(content.batch.length), ...items])
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
