import type { Logger } from 'pino'
import type { Embedder } from './embedder.ts'
import { createHttpEmbedder, type HttpEmbedderOptions, httpEmbedderId } from './httpEmbedder.ts'
import { createTextHashEmbedder } from './textHashEmbedder.ts'

/** Which embedder people's questions and documents get. */
export type EmbedderOptions =
  | { readonly kind: 'hash' }
  | ({
      readonly kind: 'http'
      /** Longest that a question waits for its vector; then it is answered without, and says so. Default 2000 ms. */
      readonly questionTimeoutMs?: number
    } & HttpEmbedderOptions)

/** What a table remembers of the embedder its vectors come from. */
export type EmbedderRecord = { readonly id: string; readonly dimensions: number }

type Dependencies = { readonly logger: Logger }

/** Makes the embedder that the options name; asks nobody yet (see `checkEmbedder`). Throws `EmbedderError` `INVALID_OPTIONS`. */
export function openEmbedder(options: EmbedderOptions, { logger }: Dependencies): Embedder {
  return options.kind === 'hash' ? createTextHashEmbedder() : createHttpEmbedder(options, { logger })
}

/**
 * The embedder of stored vectors, to ask the old table while a new one is made: the built-in one, or another model of the endpoint
 * that the options name. Undefined when it cannot be had: then there is no nearness in that table to speak of.
 */
export function reopenEmbedder(
  record: EmbedderRecord,
  options: EmbedderOptions,
  deps: Dependencies,
): Embedder | undefined {
  const builtIn = createTextHashEmbedder()
  if (record.id === builtIn.id) return builtIn
  const [, model, version] = /^http:(.+)-\d+\/([\w.-]+)$/.exec(record.id) ?? []
  if (options.kind !== 'http' || model === undefined || version === undefined) return undefined
  if (httpEmbedderId(model, version, record.dimensions) !== record.id) return undefined
  return openEmbedder({ ...options, model, version, dimensions: record.dimensions }, deps)
}

/** A text that every model embeds, to see what its vectors are. */
const probe = 'transfer of tokens'

/**
 * Asks an embedder once. Throws `EmbedderError`: with `mayPass` the endpoint is merely not there yet, without it the configuration
 * is at fault (`WRONG_DIMENSIONS`, `REFUSED`).
 */
export async function checkEmbedder(embedder: Embedder, signal?: AbortSignal): Promise<void> {
  await embedder.embed([probe], signal)
}
