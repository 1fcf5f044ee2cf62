/** `abi`: the JSON of a contract's interface; `source`: a contract's text; `note`: anything a person wrote. */
export const documentKinds = ['abi', 'source', 'note'] as const
export type DocumentKind = (typeof documentKinds)[number]

export type DocumentInput = {
  /** 1 to 200 characters. */
  readonly title: string
  readonly kind: DocumentKind
  /** The contract it is about, 0x and 40 hex digits; undefined when it is about none, or many. */
  readonly contract?: string | undefined
  /** At most 1 MiB of UTF-8. */
  readonly text: string
}

/** A document as it is kept; its text is searched, not given back whole. */
export type DocumentSummary = {
  /** 32 hex digits, from kind, contract and text: the same document has the same id everywhere. */
  readonly id: string
  readonly title: string
  readonly kind: DocumentKind
  readonly contract: string | undefined
  /** Pieces it is searched in. */
  readonly parts: number
  /** Calls it names, by selector. */
  readonly names: number
  /** Unix milliseconds. */
  readonly addedMs: number
}

export type DocumentAdded = {
  readonly document: DocumentSummary
  /** False when it was there already: then nothing was written. */
  readonly isNew: boolean
}

/** A piece of a document: what is indexed, found and cited. */
export type DocumentPart = {
  readonly text: string
  /** Of an ABI's function or error: 0x and 8 hex digits, and its signature. */
  readonly selector?: string | undefined
  readonly name?: string | undefined
}
