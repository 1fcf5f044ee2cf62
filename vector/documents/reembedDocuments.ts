import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Embedder } from '../embed/embedder.ts'
import { EmbedderError } from '../embed/embedderError.ts'
import { checkEmbedder } from '../embed/openEmbedder.ts'
import { errorText } from '../store/failure.ts'
import type { MaintenanceEvent } from '../types.ts'
import type { Documents } from './openDocuments.ts'

/** First and longest wait after a failure that may pass, and the longest that an endpoint may ask for. */
const retryMinMs = 5_000
const retryMaxMs = 300_000
const askedMaxMs = 3_600_000

/**
 * Gives documents the vectors of the embedder configured, where they have another's: until it is done the old ones answer. Where they
 * have its own, the embedder is asked once, so that a wrong one is known before anybody asks. An endpoint that is away is waited for;
 * what is done by then is kept, also over a restart. Resolves when nothing is left to do, when the embedder refuses for good, or at
 * the signal; never rejects.
 */
export async function reembedDocuments(
  documents: Documents,
  embedder: Embedder,
  {
    exclusive,
    signal,
    logger,
    onMaintenance,
    onProblem,
  }: {
    readonly exclusive: <T>(work: () => Promise<T>) => Promise<T>
    readonly signal: AbortSignal
    readonly logger: Logger
    readonly onMaintenance: (event: MaintenanceEvent) => void
    /** Told why it does not go on, and with undefined that it does. */
    readonly onProblem: (problem: string | undefined) => void
  },
): Promise<void> {
  const { serving } = documents
  if (!serving) return
  const current = await serving.use(async ({ embedder: record }) => record.id)
  const isCurrent = current === embedder.id
  if (!isCurrent) logger.info({ from: current, to: embedder.id }, 'documents are being embedded again')
  for (let retryMs = retryMinMs; !signal.aborted; retryMs = Math.min(retryMs * 2, retryMaxMs)) {
    const started = performance.now()
    const done = (error: string | undefined) => {
      onProblem(error)
      if (isCurrent) return
      const seconds = (performance.now() - started) / 1000
      onMaintenance({ job: 'reembed', ok: error === undefined, error, seconds, atMs: Date.now() })
    }
    try {
      if (isCurrent) await checkEmbedder(embedder, signal)
      else await serving.reembed(embedder, { exclusive, signal })
      done(undefined)
      if (!isCurrent) logger.info({ embedder: embedder.id }, 'documents were embedded again')
      return
    } catch (cause) {
      if (signal.aborted) return
      const error = errorText(cause)
      done(error)
      const mayPass = !(cause instanceof EmbedderError) || cause.mayPass
      logger.warn({ error, mayPass, retryMs }, 'the embedder of documents is not as it should be')
      if (!mayPass) return
      const askedMs = cause instanceof EmbedderError ? cause.retryAfterMs : undefined
      const waitMs = Math.min(Math.max(askedMs ?? retryMs, retryMinMs), askedMaxMs)
      await delay(waitMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }
}
