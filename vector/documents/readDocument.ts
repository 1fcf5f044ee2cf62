import { createHash } from 'node:crypto'
import { DocumentError } from './documentError.ts'
import { readAbi } from './readAbi.ts'
import { splitText } from './splitText.ts'
import { type DocumentInput, type DocumentPart, documentKinds } from './types.ts'

/** Longest text, in bytes of UTF-8, and longest title, in characters. */
export const documentBytes = 2 ** 20
const titleCharacters = 200

export type ReadDocument = Omit<DocumentInput, 'text' | 'contract'> & {
  readonly id: string
  /** Empty when it is about no contract. */
  readonly contract: string
  readonly parts: readonly DocumentPart[]
}

/** Checks a document and takes it apart. Throws `DocumentError`. */
export async function readDocument(input: DocumentInput): Promise<ReadDocument> {
  const { kind, text } = input
  const title = oneLine(input.title)
  if (title === '' || title.length > titleCharacters)
    throw invalid(`a title of 1 to ${titleCharacters} characters`, `${title.length}`)
  if (!documentKinds.includes(kind)) throw invalid(`a kind among ${documentKinds.join(', ')}`, 'another')
  const contract = input.contract?.toLowerCase() ?? ''
  if (contract !== '' && !/^0x[0-9a-f]{40}$/.test(contract))
    throw invalid('a contract of 0x and 40 hex digits', 'another')
  const bytes = Buffer.byteLength(text)
  if (bytes > documentBytes) {
    throw new DocumentError(
      'DOCUMENT_TOO_LARGE',
      `document: expected at most ${documentBytes} bytes, got ${bytes}: add it in several`,
    )
  }
  // What is no text says nothing to whoever searches; a lone surrogate is no character at all.
  if (text.includes('\u0000') || !text.isWellFormed()) throw invalid('text in UTF-8', 'binary data')
  const parts =
    kind === 'abi' ? await readAbi(text) : splitText(text).map((part): DocumentPart => ({ text: part }))
  if (parts.length === 0) throw invalid('text', 'none')
  const id = createHash('sha256').update(`${kind}\n${contract}\n${text}`).digest('hex').slice(0, 32)
  return { id, title, kind, contract, parts }
}

function oneLine(text: string): string {
  return text.isWellFormed() ? text.replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim() : ''
}

function invalid(expected: string, came: string): DocumentError {
  return new DocumentError('DOCUMENT_INVALID', `document: expected ${expected}, got ${came}`)
}
