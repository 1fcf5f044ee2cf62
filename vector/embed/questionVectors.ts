import { createByteLru } from '../cache/byteLru.ts'
import type { Embedder } from './embedder.ts'
import { EmbedderError } from './embedderError.ts'
import type { EmbedderRecord } from './openEmbedder.ts'

/** Bytes of remembered vectors: a thousand of 1024 numbers. */
const limitBytes = 4 * 2 ** 20
/** What an entry takes beside numbers and text. */
const entryBytes = 300

/** The vector of a question, in the space of an embedder. Throws why it cannot be had. */
export type QuestionVectors = (text: string, of: EmbedderRecord) => Promise<Float32Array>

/**
 * Embeds questions, each one once while it is remembered: the same ones are asked again after every block. No question waits longer
 * than `waitMs`, whatever an endpoint takes.
 * @param embedderOf undefined for one that cannot be had
 * @param signal ends what is under way, with its reason
 */
export function createQuestionVectors(
  embedderOf: (record: EmbedderRecord) => Embedder | undefined,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
): QuestionVectors {
  const known = createByteLru<Float32Array>(limitBytes, () => undefined)
  return async (text, record) => {
    const key = `${record.id}\n${text}`
    const found = known.get(key)
    if (found) return found
    const embedder = embedderOf(record)
    if (!embedder) throw new Error(`their vectors are of ${record.id}, which is not configured`)
    const late = AbortSignal.timeout(waitMs)
    try {
      const [vector] = await embedder.embed([text], AbortSignal.any([signal, late]))
      known.put(key, vector!, 4 * record.dimensions + 2 * key.length + entryBytes)
      return vector!
    } catch (error) {
      if (error !== late.reason) throw error
      throw new EmbedderError(
        'TIMED_OUT',
        `embedder: expected the vector of a question within ${waitMs} ms, got none`,
        { mayPass: true, facts: { waitMs } },
      )
    }
  }
}
