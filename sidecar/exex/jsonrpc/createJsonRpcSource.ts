import type { Logger } from 'pino'
import type { BlockRef } from '../../notification/types.ts'
import { ExExError, HistoryPrunedError } from '../errors.ts'
import type { ChainSource, EncodeBlock, EncodedBlock, SourceEvent, SourceHeads } from '../server/types.ts'
import type { ChainRing } from './chainRing.ts'
import {
  brokenLink,
  ChainMismatchError,
  ChainMovedError,
  NodeUnreachableError,
  ReorgTooDeepError,
  SourceClosedError,
} from './errors.ts'
import { finalityOf } from './finalityOf.ts'
import { findAncestor } from './findAncestor.ts'
import { findOldestBlock } from './findOldestBlock.ts'
import { nodeName } from './nodeConnection.ts'
import { createNodeLink } from './nodeLink.ts'
import { readInOrder } from './readInOrder.ts'
import { isReadable, readStart } from './readStart.ts'
import { readView } from './readView.ts'
import { refillRing } from './refillRing.ts'
import { retry } from './retry.ts'
import { createWake, pause } from './wake.ts'

export type JsonRpcSourceOptions = {
  /** The node: `http(s)://` (polled) or `ws(s)://` (new heads by subscription, and polled). */
  readonly url: string
  /** Longest time without asking for the head. Over WebSocket only what sends no new head (a rollback) waits for it. */
  readonly pollIntervalMs: number
  /** Blocks kept by reference for undo: the deepest reorg that is followed. */
  readonly maxReorgDepth: number
  /** Blocks below the tip that are offered to consumers. Default: all that the node has. */
  readonly historyBlocks?: number | undefined
  /** Most blocks in one event. */
  readonly batchBlocks: number
  /** Where the node has no finalized block, the one this far below the head stands in. */
  readonly finalityDepth: number
  /** Longest wait for one answer. */
  readonly requestTimeoutMs: number
  /** Blocks read at once. Default 8. */
  readonly concurrency?: number | undefined
  /** Retries wait twice as long each time, up to this. Default 5 000. */
  readonly maxRetryDelayMs?: number | undefined
  /** Longest wait for a node that is not up at start. Default: until `signal`. */
  readonly startTimeoutMs?: number | undefined
}

export type JsonRpcSourceMetrics = {
  requestDone(method: string, seconds: number, succeeded: boolean): void
  reorged(depth: number): void
}

export type JsonRpcSourceDependencies = {
  readonly logger: Logger
  readonly encodeBlock: EncodeBlock
  /** Ends the source, as `close` does. */
  readonly signal: AbortSignal
  readonly metrics?: JsonRpcSourceMetrics | undefined
}

/** First delay after a failure, and after a chain that moved while it was read. */
const RETRY_DELAY_MS = 100
const MOVED_DELAY_MS = 5
/** Reads in a row that may find a moving chain before it is a problem: 5 + 10 + … + 160 ms. */
const MOVES_TOLERATED = 6

/**
 * Any Ethereum node as a chain source. One loop compares the node's head with the chain told so far and emits the difference:
 * it does not matter whether a head was announced, missed or announced twice, or how the node got there.
 *
 * `heads().head` is the tip of what was emitted, not of what the node has: events and heads never disagree. When the node cannot
 * be followed (gone, another chain, a reorg deeper than `maxReorgDepth`) nothing is emitted, `problem()` says why, and the loop
 * goes on trying.
 *
 * Resolves once the node answered. Throws `NodeUnreachableError` after `startTimeoutMs`, `SourceClosedError` when `signal` ends
 * first, `NodeRefusedError` or `MalformedAnswerError` when it is no Ethereum node.
 */
export async function createJsonRpcSource(
  options: JsonRpcSourceOptions,
  { logger, encodeBlock, signal, metrics }: JsonRpcSourceDependencies,
): Promise<ChainSource> {
  const { concurrency = 8, maxRetryDelayMs = 5_000, maxReorgDepth, batchBlocks } = options
  const node = nodeName(options.url)
  const lifetime = new AbortController()
  const end = () => lifetime.abort()
  signal.addEventListener('abort', end)
  if (signal.aborted) end()

  const wake = createWake(lifetime.signal)
  const link = createNodeLink({
    url: options.url,
    requestTimeoutMs: options.requestTimeoutMs,
    signal: lifetime.signal,
    onHead: wake.ring,
    onClose: wake.ring,
    onRequest: metrics && ((method, seconds, succeeded) => metrics.requestDone(method, seconds, succeeded)),
  })
  const { reader } = link
  const retryDelayMs = (firstMs: number, failures: number) =>
    Math.min(maxRetryDelayMs, firstMs * 2 ** (failures - 1))

  const start = await retry(() => readStart(link, options), {
    timeoutMs: options.startTimeoutMs ?? Number.POSITIVE_INFINITY,
    delayMs: (failures) => retryDelayMs(RETRY_DELAY_MS, failures),
    onFailure: (error) =>
      logger.warn({ node, code: error.code, reason: error.message }, 'waiting for the node'),
    signal: lifetime.signal,
  }).catch((error: unknown) => {
    signal.removeEventListener('abort', end)
    lifetime.abort()
    throw error
  })
  const { identity, receipts } = start
  let { ring, view, oldestBlock } = start

  const listeners = new Set<(event: SourceEvent) => void>()
  let problem: { readonly code: string; readonly message: string } | undefined
  let lost: ReorgTooDeepError | undefined
  let heads = headsOf(ring)

  function headsOf(chain: ChainRing): SourceHeads {
    const { tip } = chain
    const offered = options.historyBlocks === undefined ? 0n : tip.number - BigInt(options.historyBlocks)
    return {
      head: tip,
      safe: finalityOf(chain, view.safe),
      finalized: finalityOf(chain, view.finalized),
      oldestBlock: offered > oldestBlock ? offered : oldestBlock,
      syncing: view.syncing,
    }
  }

  function emit(
    parent: BlockRef,
    undo: readonly BlockRef[],
    blocks: readonly EncodedBlock[],
    nodeTimeMs: number,
    base: ChainRing = ring,
  ): void {
    if (lifetime.signal.aborted) throw new SourceClosedError()
    const next = base.replaced(
      parent.number,
      blocks.map((block) => block.ref),
    )
    heads = headsOf(next)
    ring = next
    const { head, safe, finalized } = heads
    const event: SourceEvent = { undo, blocks, parent, head, safe, finalized, nodeTimeMs }
    if (undo.length > 0) {
      metrics?.reorged(undo.length)
      logger.info({ node, depth: undo.length, ancestor: String(parent.number) }, 'chain reorganised')
    }
    for (const listener of listeners)
      try {
        listener(event)
      } catch (error) {
        // One listener's fault must neither reach the others nor stop the chain.
        logger.error({ err: error, head: String(head.number) }, 'listener of the chain source failed')
      }
  }

  /** Emits what lies between the chain told so far and the node's. Returns the number of blocks added. */
  async function reconcile(): Promise<number> {
    view = await readView(reader, options.finalityDepth)
    const { latest } = view
    let added = 0
    if (latest.hash !== ring.tip.hash) {
      // Not simply the next block: the node may have been replaced by another, which over HTTP shows nowhere else.
      if (latest.parentHash !== ring.tip.hash) await link.confirmIdentity()
      const ancestor = await findAncestor(ring, latest, reader, { node, maxReorgDepth })
      let undo = ring.above(ancestor.number)
      // Filled before the undo is told: a second reorg as deep must not find a ring that the first one shortened.
      let base = undo.length > 0 ? await refillRing(ring.replaced(ancestor.number, []), reader) : ring
      if (latest.number === ancestor.number) emit(ancestor, undo, [], nowMs(), base)

      let parent = ancestor
      let tip = ancestor
      let batch: EncodedBlock[] = []
      for await (const block of readInOrder(ancestor.number + 1n, latest.number, concurrency, readLive)) {
        if (block.parent.hash !== tip.hash) throw brokenLink(block.ref, block.parent.hash, tip)
        tip = block.ref
        batch.push(encodeBlock(block))
        if (batch.length < batchBlocks && tip.number < latest.number) continue
        emit(parent, undo, batch, block.nodeTimeMs, base)
        base = ring
        added += batch.length
        parent = tip
        undo = []
        batch = []
      }
    }
    heads = headsOf(ring)
    return added
  }

  async function readLive(number: bigint) {
    const block = await reader.block(number, receipts)
    if (block === undefined) throw absentBlock(number)
    return { ...block, nodeTimeMs: nowMs() }
  }

  async function follow(): Promise<void> {
    let failures = 0
    while (!lifetime.signal.aborted) {
      try {
        await link.ensure()
        const added = await reconcile()
        if (problem !== undefined)
          logger.info({ node, head: String(ring.tip.number) }, 'following the node again')
        problem = undefined
        lost = undefined
        failures = 0
        // Many blocks took time to read, in which more came.
        if (added <= 1) await wake.wait(options.pollIntervalMs)
      } catch (error) {
        if (lifetime.signal.aborted) return
        failures++
        const isMove = error instanceof ChainMovedError
        if (error instanceof NodeUnreachableError || error instanceof ChainMismatchError) link.drop()
        if (!isMove || failures > MOVES_TOLERATED) reportProblem(error)
        await pause(retryDelayMs(isMove ? MOVED_DELAY_MS : RETRY_DELAY_MS, failures), lifetime.signal)
      }
    }
  }

  function reportProblem(error: unknown): void {
    const code = error instanceof ExExError ? error.code : 'UNEXPECTED'
    const message = error instanceof Error ? error.message : String(error)
    // The words change with every block; a line per kind of problem is enough.
    if (code !== problem?.code) logger.error({ node, code, err: error }, 'the node cannot be followed')
    problem = { code, message }
    lost = error instanceof ReorgTooDeepError ? error : undefined
  }

  /** Why the node did not give a canonical block of the past. */
  async function absence(number: bigint): Promise<ExExError> {
    if (number < ring.oldest.number)
      oldestBlock = await findOldestBlock(ring.tip.number, (candidate) =>
        isReadable(reader, candidate, receipts),
      )
    if (heads.oldestBlock < oldestBlock) heads = { ...heads, oldestBlock }
    if (number < oldestBlock) return new HistoryPrunedError(number, heads.oldestBlock)
    return absentBlock(number)
  }

  const following = follow()
  return {
    ...identity,
    hasLogs: receipts !== 'none',
    heads: () => heads,
    canonicalRef: async (number) => {
      if (number > ring.tip.number || number < heads.oldestBlock) return undefined
      const known = ring.at(number)
      if (known !== undefined) return known
      const header = await reader.header(number)
      return header && { number: header.number, hash: header.hash }
    },
    readBlocks: async function* (from, to) {
      if (from < heads.oldestBlock) throw new HistoryPrunedError(from, heads.oldestBlock)
      if (to > ring.tip.number)
        throw new ChainMovedError({
          where: 'head',
          expected: `block ${to}`,
          actual: `block ${ring.tip.number}`,
        })
      let parent: BlockRef | undefined
      for await (const block of readInOrder(from, to, concurrency, (number) =>
        reader.block(number, receipts),
      )) {
        if (block === undefined) throw await absence(parent === undefined ? from : parent.number + 1n)
        if (parent !== undefined && block.parent.hash !== parent.hash)
          throw brokenLink(block.ref, block.parent.hash, parent)
        const told = ring.at(block.ref.number)
        if (told !== undefined && told.hash !== block.ref.hash)
          throw new ChainMovedError({
            where: `block ${told.number}`,
            expected: told.hash,
            actual: block.ref.hash,
          })
        parent = block.ref
        yield encodeBlock(block)
      }
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    // A JSON-RPC node has no pruner to tell; the server keeps the value for its status.
    finishedHeight: () => {},
    problem: () => problem?.message,
    lost: () => lost,
    close: async () => {
      signal.removeEventListener('abort', end)
      lifetime.abort()
      listeners.clear()
      await following
      link.drop()
    },
  }
}

function absentBlock(number: bigint): ChainMovedError {
  return new ChainMovedError({
    where: `block ${number}`,
    expected: 'a block with its receipts',
    actual: 'none',
  })
}

/** Unix milliseconds, with their fraction. */
function nowMs(): number {
  return performance.timeOrigin + performance.now()
}
