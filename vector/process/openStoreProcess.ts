import type { Logger } from 'pino'
import { VectorStoreError } from '../errors.ts'
import type { VectorStoreSettings } from '../settings.ts'
import type { MaintenanceEvent, ProcessOptions, SearchRequest, VectorStore } from '../types.ts'
import type { StoreCall, StoreCalls } from './messages.ts'
import { type StoreClient, startStoreClient } from './startStoreClient.ts'

/** A process younger than so many writes is kept, whatever it holds: a limit below what LanceDB needs must not stop the work. */
const LEAST_WRITES = 20
/** Questions that are kept for the next process, and how many of them, one round after another, it answers before it takes over. */
const REHEARSED = { kept: 64, answered: 256 }
/** How long the end waits for what is under way: an interrupted compaction is repeated, an interrupted write repeated by its caller. */
const CLOSE_MS = 2_000

/**
 * The store in a process of its own, which is replaced when it holds more memory than allowed, and when it died. Questions never
 * wait for a replacement that was chosen: the old one answers them until the next has opened the folder and read what it holds in memory. Writes
 * wait meanwhile. Where a process died, everything waits; a write in flight then fails with
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
  let client = start()
  await open(client)
  let writes = 0
  const writing = new Set<Promise<unknown>>()
  /** The last questions that had an answer, the newest at the end. */
  const answered: SearchRequest[] = []
  let replacing: Promise<void> | undefined
  let isHandedOver = false
  /** Those that take over, and those that answer what they were asked before. */
  const others = new Set<StoreClient>()
  const partings = new Set<Promise<void>>()
  let closing: Promise<void> | undefined

  return {
    apply: (entries) => write('apply', entries),
    // Of what is being written: only the process that writes knows it.
    patternsAt: (boundary) => callWriter('patternsAt', boundary),
    async search(request) {
      const answer = await read('search', request)
      answered.push(request)
      if (answered.length > REHEARSED.kept) answered.shift()
      return answer
    },
    neighbours: (request) => read('neighbours', request),
    addDocument: (document) => write('addDocument', document),
    documents: () => read('documents', undefined),
    removeDocument: (id) => write('removeDocument', id),
    callNames: (calls) => read('callNames', calls),
    stats: () => read('stats', undefined),
    rssBytes: () =>
      [client, ...others].reduce((sum, each) => sum + (each.hasEnded() ? 0 : each.state().rssBytes), 0),
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
    if (client.hasEnded()) await replacing
    const answering = client
    try {
      return await answering.call(name, argument)
    } catch (error) {
      if (closing || !answering.hasEnded()) throw error
      look()
      if (client.hasEnded()) await replacing
      return await client.call(name, argument)
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

  /** A compaction or an index being built would be lost, and begun again for ever. */
  function isTooLarge(): boolean {
    const { ownBytes, isMaintaining } = client.state()
    return ownBytes > memoryBytes && writes >= LEAST_WRITES && !isMaintaining
  }

  async function replace(): Promise<void> {
    const old = client
    const { rssBytes, ownBytes } = old.state()
    const facts = { directory, rssBytes, ownBytes, writes, died: old.hasEnded() }
    const successor = start()
    others.add(successor)
    try {
      if (!old.hasEnded()) {
        await successor.call('load', undefined)
        isHandedOver = true
        await Promise.allSettled(writing)
        await old.call('retire', undefined)
      }
      await open(successor)
      // Where the old one died, nobody else answers.
      const rehearsed = old.hasEnded() ? 0 : await rehearse(successor)
      client = successor
      writes = 0
      logger.info({ ...facts, rehearsed }, "the vector store's process was replaced")
      // What was asked of it is answered first.
      const parting = finish(old).finally(() => partings.delete(parting))
      partings.add(parting)
    } catch (error) {
      // One that may not write any more is of no use, though there is no other: whoever calls next starts one.
      await Promise.all([successor.end(), finish(old)])
      throw error
    } finally {
      others.delete(successor)
      isHandedOver = false
    }
  }

  /**
   * Has a process read what questions need, and answer the last ones: its first answers take ten times as long, and some hundreds half as long
   * again.
   */
  async function rehearse(successor: StoreClient): Promise<number> {
    await successor.call('warm', undefined)
    const questions = [...answered]
    if (questions.length === 0) return 0
    for (let count = 0; count < REHEARSED.answered; count += 1) {
      await successor.call('search', questions[count % questions.length]!).catch((error: unknown) => {
        if (successor.hasEnded()) throw error
      })
    }
    return questions.length
  }

  /** Lets a process close its store, and go. */
  async function finish(old: StoreClient): Promise<void> {
    others.add(old)
    const forced = setTimeout(() => void old.end(), CLOSE_MS)
    try {
      if (!old.hasEnded()) await old.call('close', undefined)
    } catch (error) {
      logger.warn({ err: error, directory }, "the vector store's process did not close")
    }
    clearTimeout(forced)
    await old.end()
    others.delete(old)
  }

  async function open(started: StoreClient): Promise<void> {
    try {
      await started.call('open', settings)
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
    const forced = setTimeout(() => {
      for (const other of others) void other.end()
    }, CLOSE_MS)
    // Its failure is told to whoever called for it.
    await replacing?.catch(() => undefined)
    clearTimeout(forced)
    await Promise.all([finish(client), ...partings])
  }
}
