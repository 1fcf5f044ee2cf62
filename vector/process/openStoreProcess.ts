import type { Logger } from 'pino'
import { VectorStoreError } from '../errors.ts'
import type { VectorStoreSettings } from '../settings.ts'
import type { MaintenanceEvent, ProcessOptions, VectorStore } from '../types.ts'
import type { StoreCall, StoreCalls } from './messages.ts'
import { type StoreClient, startStoreClient } from './startStoreClient.ts'

/** A process younger than so many writes is kept, whatever it holds: a limit below what LanceDB needs must not stop the work. */
const LEAST_WRITES = 20
/** How long the end waits for what is under way: an interrupted compaction is repeated, an interrupted write repeated by its caller. */
const CLOSE_MS = 2_000

/**
 * The store in a process of its own, which is replaced when it holds more memory than allowed, and when it died. Calls
 * wait for the replacement (well under a second) and never see it; a write in flight when the process dies fails with
 * `STORE_FAILED` and may be repeated, a question is asked again.
 *
 * The reason: LanceDB's write path keeps some memory of every write for good (about 60 to 250 kB), and only the end of
 * the process gives it back. What it also brings: a crash in native code does not take the caller along.
 */
export async function openStoreProcess(
  { process: _, ...settings }: VectorStoreSettings,
  { memoryBytes }: ProcessOptions,
  deps: { readonly logger: Logger; readonly onMaintenance: (event: MaintenanceEvent) => void },
): Promise<VectorStore> {
  const { logger } = deps
  const { directory } = settings
  const start = () => startStoreClient(directory, deps)
  let client = await opened(start())
  let writes = 0
  let replacing: Promise<void> | undefined
  let closing: Promise<void> | undefined

  return {
    async apply(entries) {
      await call('apply', entries)
      writes++
    },
    patternsAt: (boundary) => call('patternsAt', boundary),
    search: (request) => read('search', request),
    neighbours: (request) => read('neighbours', request),
    async addDocument(document) {
      const added = await call('addDocument', document)
      writes++
      return added
    },
    documents: () => read('documents', undefined),
    async removeDocument(id) {
      const removed = await call('removeDocument', id)
      writes++
      return removed
    },
    callNames: (calls) => read('callNames', calls),
    stats: () => read('stats', undefined),
    rssBytes: () => (client.hasEnded() ? 0 : client.state().rssBytes),
    close,
    [Symbol.asyncDispose]: close,
  }

  /** A question of a person: one that was in flight when the process died is asked once more. */
  async function read<Call extends StoreCall>(
    name: Call,
    argument: StoreCalls[Call]['argument'],
  ): Promise<StoreCalls[Call]['answer']> {
    const asked = client
    try {
      return await call(name, argument)
    } catch (error) {
      if (closing || !asked.hasEnded()) throw error
      return await call(name, argument)
    }
  }

  async function call<Call extends StoreCall>(
    name: Call,
    argument: StoreCalls[Call]['argument'],
  ): Promise<StoreCalls[Call]['answer']> {
    if (closing) throw new VectorStoreError('CLOSED', `vector store: ${directory} is closed`)
    if (!replacing && (client.hasEnded() || isTooLarge())) {
      replacing = replace().finally(() => {
        replacing = undefined
      })
    }
    await replacing
    return client.call(name, argument)
  }

  /** An index being built would be lost, and begun again for ever. */
  function isTooLarge(): boolean {
    const { ownBytes, isBuilding } = client.state()
    return ownBytes > memoryBytes && writes >= LEAST_WRITES && !isBuilding
  }

  async function replace(): Promise<void> {
    const old = client
    const { rssBytes, ownBytes } = old.state()
    const facts = { directory, rssBytes, ownBytes, writes, died: old.hasEnded() }
    // Loads LanceDB while the old one finishes what it was asked.
    const next = start()
    try {
      if (!old.hasEnded()) await old.call('close', undefined)
    } catch (error) {
      logger.warn({ err: error, ...facts }, "the vector store's process did not close")
    }
    await old.end()
    client = await opened(next)
    writes = 0
    logger.info(facts, "the vector store's process was replaced")
  }

  async function opened(next: StoreClient): Promise<StoreClient> {
    try {
      await next.call('open', settings)
      return next
    } catch (error) {
      await next.end()
      throw error
    }
  }

  function close(): Promise<void> {
    closing ??= closeProcess()
    return closing
  }

  async function closeProcess(): Promise<void> {
    // Its failure is told to whoever called for it.
    await replacing?.catch(() => undefined)
    const forced = setTimeout(() => void client.end(), CLOSE_MS)
    try {
      if (!client.hasEnded()) await client.call('close', undefined)
    } catch (error) {
      logger.warn({ err: error, directory }, "the vector store's process did not close")
    }
    clearTimeout(forced)
    await client.end()
  }
}
