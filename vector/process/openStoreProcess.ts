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
 * The store in a process of its own, which is replaced when it holds more memory than allowed, and when it died. Questions never
 * wait for a replacement that was chosen: the next process answers them, as a reader of the folder, before the old one lets go of it. Writes
 * wait from there until the next one may write. Where a process died, everything waits; a write in flight then fails with
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
  /** Who answers questions: the next one already, while the folder changes hands. */
  let reader = client
  let writes = 0
  const writing = new Set<Promise<unknown>>()
  let replacing: Promise<void> | undefined
  let isHandedOver = false
  /** Started to take the place of the other. */
  let next: StoreClient | undefined
  let closing: Promise<void> | undefined

  return {
    apply: (entries) => write('apply', entries),
    // Of what is being written: only the process that writes knows it.
    patternsAt: (boundary) => callWriter('patternsAt', boundary),
    search: (request) => read('search', request),
    neighbours: (request) => read('neighbours', request),
    addDocument: (document) => write('addDocument', document),
    documents: () => read('documents', undefined),
    removeDocument: (id) => write('removeDocument', id),
    callNames: (calls) => read('callNames', calls),
    stats: () => read('stats', undefined),
    rssBytes: () =>
      [client, next].reduce((sum, each) => sum + (!each || each.hasEnded() ? 0 : each.state().rssBytes), 0),
    close,
    [Symbol.asyncDispose]: close,
  }

  async function write<Call extends 'apply' | 'addDocument' | 'removeDocument'>(
    name: Call,
    argument: StoreCalls[Call]['argument'],
  ): Promise<StoreCalls[Call]['answer']> {
    const answer = await callWriter(name, argument)
    writes++
    return answer
  }

  async function callWriter<Call extends StoreCall>(
    name: Call,
    argument: StoreCalls[Call]['argument'],
  ): Promise<StoreCalls[Call]['answer']> {
    look()
    if (isHandedOver || client.hasEnded()) await replacing
    const answer = client.call(name, argument)
    const settled = answer.finally(() => writing.delete(settled))
    writing.add(settled)
    return settled
  }

  /** A question of a person: one that was in flight when the process died is asked once more. */
  async function read<Call extends StoreCall>(
    name: Call,
    argument: StoreCalls[Call]['argument'],
  ): Promise<StoreCalls[Call]['answer']> {
    look()
    if (reader.hasEnded()) await replacing
    const asked = reader
    try {
      return await asked.call(name, argument)
    } catch (error) {
      if (closing || !asked.hasEnded()) throw error
      look()
      if (reader.hasEnded()) await replacing
      return await reader.call(name, argument)
    }
  }

  /** Begins a replacement where one is due. */
  function look(): void {
    if (closing) throw new VectorStoreError('CLOSED', `vector store: ${directory} is closed`)
    if (replacing || !(client.hasEnded() || isTooLarge())) return
    replacing = replace().finally(() => {
      replacing = undefined
    })
    // Told to those who wait for it; a replacement that nobody waits for is tried again with the next call.
    replacing.catch(() => undefined)
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
    const successor = start()
    next = successor
    if (!old.hasEnded()) {
      const canRead = await successor.call('open', { ...settings, readOnly: true }).then(
        () => true,
        (error: unknown) => {
          logger.warn({ err: error, directory }, "the vector store's next process cannot read yet")
          return false
        },
      )
      isHandedOver = true
      await Promise.allSettled(writing)
      if (canRead) reader = successor
      await old.call('close', undefined).catch((error: unknown) => {
        logger.warn({ err: error, ...facts }, "the vector store's process did not close")
      })
      await old.end()
    }
    try {
      client = await opened(successor)
      writes = 0
      logger.info(facts, "the vector store's process was replaced")
    } finally {
      next = undefined
      reader = client
      isHandedOver = false
    }
  }

  async function opened(started: StoreClient): Promise<StoreClient> {
    try {
      await started.call('open', settings)
      return started
    } catch (error) {
      await started.end()
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
