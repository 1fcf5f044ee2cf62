import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { defer, filter, fromEvent, map, retry, takeUntil, tap, throwError, timer } from 'rxjs'
import { bindingDigest, type Config } from '#config'
import { type openVectorStore, VectorStoreError } from '#vector'
import type { Problem, SidecarView } from './api/view.ts'
import { buildLocator } from './exex/client/buildLocator.ts'
import type { ExExEvent } from './exex/client/events.ts'
import type { Endpoint } from './exex/client/options.ts'
import { createMetrics } from './metrics.ts'
import { findNode } from './nodeLink.ts'
import { type Chain, type ChainInput, chainTip } from './notification/chain.ts'
import { GapError } from './notification/errors.ts'
import type { BlockRef } from './notification/types.ts'
import { openStages } from './openStages.ts'
import { createOutboxPump } from './outbox/outboxPump.ts'
import { type PipelineEvent, pipeline } from './pipeline.ts'
import { createReceivedChain } from './receivedChain.ts'
import { type BridgeEvent, createRecorder } from './recorder.ts'
import { restoredChain } from './restoredChain.ts'
import { createSidecarView } from './sidecarView.ts'
import { startVector } from './startVector.ts'
import type { Status } from './status.ts'
import { versions } from './versions.ts'
import { checkIdentity, type Identity } from './watermark/identity.ts'
import { readIdentity } from './watermark/openDatabase.ts'
import { openStore } from './watermark/openStore.ts'
import { resolveStart } from './watermark/resolveStart.ts'
import type { Store } from './watermark/store.ts'
import { toStoreError } from './watermark/toStoreError.ts'
import { withOutbox } from './withOutbox.ts'

export type BridgeOptions = {
  readonly config: Config
  /** The shim: `grpc://`, `grpcs://` or `unix:`. */
  readonly url: string
  readonly dataDir: string
  readonly logger: Logger
  readonly signal: AbortSignal
  /** Default `openVectorStore`: the place for one that is slower, or remote. */
  readonly openVector?: typeof openVectorStore | undefined
}

export type Bridge = {
  readonly view: SidecarView
  listen(listener: (event: BridgeEvent) => void): () => void
  /** Resolves once this very block is durable; rejects, like `untilBlocks`, when the stream fails before. */
  untilDurable(block: BlockRef): Promise<void>
  /** Resolves once the canonical chain holds so many durable blocks. */
  untilBlocks(blocks: number): Promise<void>
  /** Rejects with what ended the stream; never resolves. */
  readonly failed: Promise<never>
  /** Finishes the block in hand, commits, closes; resolves with the last status. Calling it again gives the same. */
  stop(): Promise<Status>
}

/** A gap is repaired by a reconnect; one that comes back at once is not hammered. */
const GAP_DELAY_MS = 200
/** What people search is so much behind what is durable, at most, where blocks come faster than this. */
const VECTOR_WRITE_GAP_MS = 500
/** How long the outbox may take to empty at the end: of a run, and of one that was told to stop. */
const DRAIN_MS = 30_000
const DRAIN_STOPPED_MS = 2_000

/**
 * The composition root: opens the stores, builds the stages, and holds the one subscription that drives them.
 *
 * @throws ExExError when the server cannot be reached or refuses us; StoreError when the data directory is of another
 *   chain, in use, damaged, full or read-only; VectorStoreError
 */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { config, dataDir, logger } = options
  const stopping = new AbortController()
  const signal = AbortSignal.any([options.signal, stopping.signal])
  const endpoint = await endpointOf(options)
  await using cleanup = new AsyncDisposableStack()
  const node = await findNode(endpoint, config, { logger: logger.child({ part: 'client' }), signal })
  cleanup.defer(() => node.close())
  const info = node.chain
  const store = openStore(
    {
      directory: dataDir,
      identity: await identityOf(config, dataDir, info, logger),
      undoDepth: config.state.undoDepth,
      retainDecisions: config.state.retainDecisions,
    },
    { logger: logger.child({ part: 'store' }) },
  )
  cleanup.defer(() => store.close())
  const vectorDirectory = join(dataDir, 'vector')
  checkVectorFolder(store, vectorDirectory)
  const metrics = createMetrics()
  const vectorStore = cleanup.use(
    startVector(
      { directory: vectorDirectory, chainId: info.chainId, config },
      { logger: logger.child({ part: 'vector' }), metrics, open: options.openVector },
    ),
  )
  const pump = createOutboxPump(
    store,
    vectorStore.sink,
    { limitRows: config.vector.outboxLimitRows, writeGapMs: VECTOR_WRITE_GAP_MS },
    { logger: logger.child({ part: 'outbox' }) },
  )
  cleanup.defer(() => pump.close())
  const opened = await openStages({ config, chainId: info.chainId, store, pump, metrics }, { logger, signal })
  cleanup.defer(() => opened.svm.close())
  const vector = await vectorStore.opened

  const incoming = createReceivedChain(restoredChain(config, store))
  let fatal: Problem | undefined
  const recorder = createRecorder(metrics, store.totalsAt, store.progress().totals, Date.now)
  const client = node.connect({
    start: store.identity.start,
    held: () => incoming.chain().refs,
    position: () => ({
      blocks: locatorOf(incoming.chain(), store),
      finalized: incoming.chain().finalized,
      durable: store.progress().durable,
    }),
  })

  const onEvent = (event: PipelineEvent) => {
    recorder.passed(event)
    if (event.type === 'processed') {
      incoming.processed()
      if (event.step.facts) client.grant(event.step.facts)
    }
    if (event.type === 'durable') {
      if (incoming.holds(event.block)) client.acknowledge(event.block, event.block)
      if (!node.acknowledges) recorder.settledWithoutServer(event.block)
    }
  }
  const events$ = defer(() => {
    let isFirst = true
    return client.events$.pipe(
      // Ending the input ends the pipeline in order: the block in hand, the commit, the acknowledgement.
      takeUntil(fromEvent(signal, 'abort')),
      tap((event) => {
        if (event.type === 'welcome' && !isFirst) metrics.reconnects.inc()
        isFirst = false
        recorder.received(event)
      }),
      map(toChainInput),
      filter((input) => input !== undefined),
      pipeline(opened.stages, withOutbox(store, pump), {
        initial: incoming.chain,
        finalizedOnly: !opened.svm.reversible,
        received: incoming.received,
        policy: {
          maxBlocks: config.exex.maxBlocksBeforeCommit,
          maxDelayMs: config.exex.maxDelayBeforeCommit,
        },
        signal,
      }),
    )
  }).pipe(
    retry({
      delay: (error) => {
        if (!(error instanceof GapError) || signal.aborted) return throwError(() => error)
        logger.warn({ err: error }, 'gap in the stream: connecting again')
        metrics.reconnects.inc()
        recorder.restarted()
        return timer(GAP_DELAY_MS)
      },
    }),
  )

  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)
  const completed = Promise.withResolvers<void>()
  events$.subscribe({
    next: onEvent,
    error: (error: unknown) => {
      fatal = problemOf(error)
      logger.error({ err: error }, 'the stream ended: applying has stopped')
      failure.reject(error)
      completed.resolve()
    },
    complete: () => completed.resolve(),
  })

  const view = createSidecarView({
    store,
    vector,
    pump,
    client,
    recorder,
    tally: opened.tally,
    metrics,
    config,
    tip: () => chainTip(incoming.chain()),
    fatal: () => fatal,
  })
  metrics.observe(view)
  // Rows that an earlier run left behind.
  pump.wake()

  const resources = cleanup.move()
  let stopped: Promise<Status> | undefined
  const until = (isReached: () => boolean): Promise<void> => {
    if (isReached()) return Promise.resolve()
    const reached = new Promise<void>((resolve) => {
      const stop = recorder.listen((event) => {
        if (event.type !== 'durable' || !isReached()) return
        stop()
        resolve()
      })
    })
    // What is waited for does not come any more once the stream has failed.
    return Promise.race([reached, failure.promise])
  }
  return {
    view,
    listen: recorder.listen,
    untilDurable: (block) => until(() => store.progress().durable?.hash === block.hash),
    untilBlocks: (blocks) => until(() => store.progress().totals.blocks >= blocks),
    failed: failure.promise,
    stop() {
      stopped ??= (async () => {
        stopping.abort()
        await completed.promise
        const status = view.status()
        // So that whoever asks the folder next finds all of it; what is left waits on disk for the next start.
        const limit = delay(options.signal.aborted ? DRAIN_STOPPED_MS : DRAIN_MS, undefined, { ref: false })
        await Promise.race([pump.drained(), limit])
        await resources.disposeAsync()
        return status
      })()
      return stopped
    },
  }
}

async function endpointOf({ config, url }: BridgeOptions): Promise<Endpoint> {
  const { tokenFile, tlsCaFile, tlsCertFile, tlsKeyFile } = config.node
  return {
    url,
    ...(tokenFile ? { token: (await readFile(tokenFile, 'utf8')).trim() } : {}),
    tls: {
      ...(tlsCaFile ? { caFile: tlsCaFile } : {}),
      ...(tlsCertFile ? { certFile: tlsCertFile } : {}),
      ...(tlsKeyFile ? { keyFile: tlsKeyFile } : {}),
    },
  }
}

/**
 * The vector folder goes with the state: a new one beside blocks that are durable would lack their patterns, and later
 * blocks be decided otherwise than elsewhere.
 */
function checkVectorFolder(store: Store, directory: string): void {
  const { durable } = store.progress()
  // Of its tables `progress` is made last.
  if (!durable || existsSync(join(directory, 'progress.lance'))) return
  throw new VectorStoreError(
    'STORE_MISSING',
    `vector store: expected in ${directory} what goes with the state up to block ${durable.number}, found none. Restore ` +
      'the data directory from a copy, or remove it to rebuild from the chain.',
    { facts: { directory } },
  )
}

/** What the data directory is bound to: the chain, where it starts, and everything that enters a decision or execution. */
async function identityOf(
  config: Config,
  dataDir: string,
  info: { chainId: bigint; genesisHash: BlockRef['hash']; head: BlockRef },
  logger: Logger,
): Promise<Identity> {
  await mkdir(dataDir, { recursive: true }).catch((error: unknown) => {
    throw toStoreError(error, dataDir)
  })
  const stored = readIdentity(dataDir, { logger })
  const programs = await Promise.all(
    config.svm.programs.map(async ({ id, file }) => {
      const digest = createHash('sha256')
        .update(await readFile(file))
        .digest('hex')
      return [`svm.programs.${id}`, digest] as const
    }),
  )
  const { digest, settings } = bindingDigest(config, { ...versions, ...Object.fromEntries(programs) })
  const identity: Identity = {
    chainId: info.chainId,
    genesisHash: info.genesisHash,
    start: resolveStart(config.chain.start, info.head.number, stored?.start),
    settings,
    digest,
  }
  // Before the lock is asked for: of another chain matters more than in use.
  if (stored) checkIdentity(dataDir, stored, identity)
  return identity
}

/** The chain as received, dense near its tip, and further back what is stored. Empty while nothing is applied. */
function locatorOf(chain: Chain, store: Store): readonly BlockRef[] {
  if (chain.refs.length <= 1) return []
  const near = buildLocator(chain.refs, undefined)
  const oldest = near[near.length - 1]!.number
  return [...near, ...store.locator().filter((ref) => ref.number < oldest)]
}

function toChainInput(event: ExExEvent): ChainInput | undefined {
  switch (event.type) {
    case 'welcome':
      return event.ancestor && { kind: 'resumed', ancestor: event.ancestor }
    case 'notification':
      return event.notification
    case 'heads':
      return { kind: 'heads', finalized: event.finalized }
    default:
      return undefined
  }
}

function problemOf(error: unknown): Problem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'FAILED'
  return { code, message: error instanceof Error ? error.message : String(error), fatal: true }
}
