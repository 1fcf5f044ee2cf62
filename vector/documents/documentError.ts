/** Why a document was not taken, or not found. A closed list: callers act on it. */
export const documentCodes = [
  'DOCUMENT_INVALID',
  'DOCUMENT_TOO_LARGE',
  'DOCUMENT_NOT_FOUND',
  'DOCUMENTS_FULL',
] as const
export type DocumentCode = (typeof documentCodes)[number]

export function isDocumentCode(code: string): code is DocumentCode {
  return (documentCodes as readonly string[]).includes(code)
}

/** A document that cannot be kept as given. `message` says what was expected, what came, and what to do. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
  readonly code: DocumentCode

  constructor(code: DocumentCode, message: string) {
    super(message)
    this.code = code
  }
}
