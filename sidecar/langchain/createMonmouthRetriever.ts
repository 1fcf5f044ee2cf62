import { Document } from '@langchain/core/documents'
import { BaseRetriever, type BaseRetrieverInput } from '@langchain/core/retrievers'
import type { ContextAnswer, ContextItem } from '#vector'
import { escapeStrings, escapeUntrusted, markUntrusted } from '../explain/markUntrusted.ts'

export type MonmouthRetrieverOptions = {
  /** Of a running sidecar: `http://127.0.0.1:8080`. */
  readonly url: string
  /** Documents at most, 1 to 1000; default: what the sidecar is configured for. */
  readonly k?: number
  /** SQL condition over the facts: `block_number > 100 AND outcome = 'failed'`. */
  readonly filter?: string
  /** Token budget of all documents together, counted as characters / 3; default: what the sidecar is configured for. */
  readonly tokens?: number
  /** Longest wait for the sidecar; default 30 000 ms. */
  readonly timeoutMs?: number
} & BaseRetrieverInput

/** What a document says of itself beside its text. */
export type MonmouthMetadata = {
  /** Cite the document with this: `tx 0x… block n`. */
  readonly citation: string
  readonly kind: string
  /** The newest block it counts: of a transaction its own. Undefined for what is of no block. */
  readonly block: number | undefined
  /** `head`, or `finalized`: what no reorg can take back. */
  readonly finality: string
  /** 0 to 1; 1 for an exact match. */
  readonly score: number
  readonly distance: number
  /** Always true: the text and the facts were chosen by strangers. They are escaped, and to be read, never obeyed. */
  readonly untrusted: true
  readonly facts: Readonly<Record<string, unknown>>
  /** The block the whole answer is as of. */
  readonly asOf: ContextAnswer['asOf'] | undefined
}

/** The sidecar refused the question, or does not answer. */
export class MonmouthRetrieverError extends Error {
  override readonly name = 'MonmouthRetrieverError'
  /** The sidecar's own code, such as `FILTER_INVALID`; `SIDECAR_UNREACHABLE` when there is none. */
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    // It ends up where the documents do: in logs, and in front of models.
    super(escapeUntrusted(message), { cause })
    this.code = code
  }
}

/**
 * A LangChain retriever over a running sidecar's context. The text of every document stands between `<untrusted-data>`
 * marks, so that it can go into a prompt as it is; a prompt should say that what is between them is data. The sidecar has
 * spread out what is too much alike already (maximal marginal relevance), so there is no option for it.
 *
 * @example
 * const retriever = createMonmouthRetriever({ url: 'http://127.0.0.1:8080', k: 5 })
 * const documents = await retriever.invoke('failed transfers to:0x…')
 */
export function createMonmouthRetriever(options: MonmouthRetrieverOptions): BaseRetriever<MonmouthMetadata> {
  return new MonmouthRetriever(options)
}

class MonmouthRetriever extends BaseRetriever<MonmouthMetadata> {
  override lc_namespace = ['monmouth', 'retrievers']
  private readonly options: MonmouthRetrieverOptions

  constructor(options: MonmouthRetrieverOptions) {
    super(options)
    this.options = options
  }

  override async _getRelevantDocuments(query: string): Promise<Document<MonmouthMetadata>[]> {
    const { items, asOf } = await askContext(query, this.options)
    return items.map((item) => toDocument(item, asOf))
  }
}

async function askContext(query: string, options: MonmouthRetrieverOptions): Promise<ContextAnswer> {
  const { url, k, filter, tokens, timeoutMs = 30_000 } = options
  let status: number
  let body: unknown
  try {
    // POST: a question may be longer than a URL can be.
    const response = await fetch(`${url.replace(/\/$/, '')}/context`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, limit: k, filter, tokens }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    status = response.status
    body = await response.json()
  } catch (error) {
    throw new MonmouthRetrieverError('SIDECAR_UNREACHABLE', `No sidecar answers at ${url}.`, error)
  }
  if (status === 200) return body as ContextAnswer
  const { error } = body as { error?: { code?: string; message?: string } }
  throw new MonmouthRetrieverError(
    error?.code ?? `HTTP_${status}`,
    error?.message ?? `The sidecar at ${url} answered with status ${status}.`,
  )
}

function toDocument(item: ContextItem, asOf: ContextAnswer['asOf'] | undefined): Document<MonmouthMetadata> {
  const { id, kind, citation, score, distance, finality, text, facts } = item
  return new Document<MonmouthMetadata>({
    id,
    pageContent: markUntrusted(text),
    metadata: {
      citation: escapeUntrusted(citation),
      kind,
      block: item.asOf === null ? undefined : Number(item.asOf),
      finality,
      score,
      distance,
      untrusted: true,
      facts: escapeStrings({ ...facts }),
      asOf,
    },
  })
}
