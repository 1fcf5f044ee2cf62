/** What the leading bytes of an envelope tell of it; keys are 0x and 64 digits. */
export type EnvelopeHead =
  | { readonly kind: 'deposit'; readonly account: string }
  | { readonly kind: 'transaction'; readonly programs: readonly string[] }

/** `SVM`, in hex digits. */
const PREFIX = '53564d'
const DEPOSIT = 0x81
/** A batch of transactions; its first is read. */
const BATCH = 0x80

/**
 * Reads the programs an envelope calls, in the order of its instructions, as far as its stored head reaches; undefined when that does
 * not reach to the first instruction, or when the payload is text. It says what is written there, not that it is valid.
 * @param head leading calldata bytes, hex without prefix
 */
export function readEnvelope(head: string): EnvelopeHead | undefined {
  if (!head.startsWith(PREFIX)) return undefined
  const bytes = Buffer.from(head.slice(PREFIX.length), 'hex')
  if (bytes[0] === DEPOSIT) {
    return bytes.length < 33 ? undefined : { kind: 'deposit', account: keyAt(bytes, 1) }
  }
  const cursor = { at: 0 }
  if (bytes[0] === BATCH) {
    cursor.at = 1
    // How many, and how long the first is.
    if (readCount(bytes, cursor) === undefined || readCount(bytes, cursor) === undefined) return undefined
  }
  return readTransaction(bytes, cursor)
}

type Cursor = { at: number }

function readTransaction(bytes: Buffer, cursor: Cursor): EnvelopeHead | undefined {
  const signatures = readCount(bytes, cursor)
  if (signatures === undefined || signatures === 0 || signatures > 19) return undefined
  cursor.at += 64 * signatures
  // The first byte of a message with a version has its highest bit set; then come three counts of accounts.
  if ((bytes[cursor.at] ?? 0) & 0x80) cursor.at += 1
  cursor.at += 3
  const keys = readCount(bytes, cursor)
  if (keys === undefined) return undefined
  const firstKey = cursor.at
  // The keys, then the blockhash.
  cursor.at += 32 * keys + 32
  const instructions = readCount(bytes, cursor)
  if (instructions === undefined) return undefined
  const programs = new Set<string>()
  for (let read = 0; read < instructions; read += 1) {
    const index = bytes[cursor.at]
    // A program named by a lookup table is not among the keys.
    if (index === undefined || index >= keys) break
    programs.add(keyAt(bytes, firstKey + 32 * index))
    cursor.at += 1
    const accounts = readCount(bytes, cursor)
    if (accounts === undefined) break
    cursor.at += accounts
    const data = readCount(bytes, cursor)
    if (data === undefined) break
    cursor.at += data
  }
  return programs.size === 0 ? undefined : { kind: 'transaction', programs: [...programs] }
}

/** Solana's compact-u16: seven bits a byte, lowest first, three bytes at most. */
function readCount(bytes: Buffer, cursor: Cursor): number | undefined {
  let value = 0
  for (let shift = 0; shift < 21; shift += 7) {
    const byte = bytes[cursor.at]
    if (byte === undefined) return undefined
    cursor.at += 1
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return value
  }
  return undefined
}

function keyAt(bytes: Buffer, at: number): string {
  return `0x${bytes.toString('hex', at, at + 32)}`
}
