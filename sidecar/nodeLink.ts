import type { Logger } from 'pino'
import { catchError, mergeMap, type Observable, tap, throwError } from 'rxjs'
import type { Hash } from 'viem'
import type { Config } from '#config'
import { decodeBlock, encodeBlock } from './exex/blockCodec.ts'
import { connectExEx, type ExExClient, type ExExClientState } from './exex/client/connectExEx.ts'
import type { ExExEvent, WelcomeEvent } from './exex/client/events.ts'
import { getExExInfo } from './exex/client/getExExInfo.ts'
import { connectOfficial } from './exex/client/official.ts'
import type { Endpoint, Position } from './exex/client/options.ts'
import { ExExError } from './exex/errors.ts'
import type { Block, BlockRef } from './notification/types.ts'

/** What a node's chain is, as far as the server says. */
export type NodeChain = {
  readonly chainId: bigint
  readonly genesisHash: Hash
  readonly head: BlockRef
  /** Whether its blocks can carry the logs of their transactions. */
  readonly hasLogs: boolean
}

/** Where the sidecar stands when it connects. */
export type Standing = {
  /** The first block wanted while nothing is held. */
  readonly start: bigint
  /** The chain as received, oldest first. */
  readonly held: () => readonly BlockRef[]
  readonly position: () => Position
}

export type NodeLink = {
  readonly chain: NodeChain
  /** Whether acknowledgements are answered. */
  readonly acknowledges: boolean
  connect(standing: Standing): ExExClient
  close(): Promise<void>
}

type Dependencies = { readonly logger: Logger; readonly signal: AbortSignal }

/** Longest wait for a server that does not answer at start. */
const CONNECT_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 10_000

/**
 * Finds out what answers at an address: `exex.v1`, or the official `exex.RemoteExEx`, which is followed degraded: it
 * starts at the first block received, a gap is filled from `node.rpc` when that is set, else it ends the stream.
 * @throws ExExError
 */
export async function findNode(endpoint: Endpoint, config: Config, deps: Dependencies): Promise<NodeLink> {
  try {
    const info = await getExExInfo(endpoint, { timeoutMs: CONNECT_TIMEOUT_MS })
    const chain = { ...info, hasLogs: info.profiles.includes('receipts') }
    if (config.findings.enabled && !chain.hasLogs) {
      deps.logger.warn(
        'the server has no logs: findings are only what failures, repetition and payments show',
      )
    }
    return {
      chain,
      acknowledges: true,
      connect: (standing) => connectByExEx(endpoint, config, chain, standing, deps),
      close: async () => {},
    }
  } catch (error) {
    if (!(error instanceof ExExError) || error.code !== 'NOT_AN_EXEX_SERVER') throw error
    return findOfficial(endpoint, config, deps)
  }
}

function connectByExEx(
  endpoint: Endpoint,
  { node, findings }: Config,
  { chainId, genesisHash, hasLogs }: NodeChain,
  { start, position }: Standing,
  { logger, signal }: Dependencies,
): ExExClient {
  return connectExEx(
    {
      ...endpoint,
      consumerId: node.consumerId,
      mode: node.mode,
      chainId,
      genesisHash,
      // Logs are half of what a block weighs, and only findings read them.
      profile: findings.enabled && hasLogs ? 'receipts' : 'transactions',
      start,
      locator: position,
      windowBytes: node.creditBytes,
      windowNotifications: node.creditNotifications,
      maxFrameBytes: node.maxFrameBytes,
      silenceMs: node.heartbeatTimeout,
      backoffMs: node.reconnectMinMs,
      maxBackoffMs: node.reconnectMaxMs,
    },
    { logger, signal },
  )
}

/** The service says nothing of its chain; the JSON-RPC node does, where there is one. */
const unknownChain: NodeChain = {
  chainId: 0n,
  genesisHash: `0x${'00'.repeat(32)}`,
  head: { number: 0n, hash: `0x${'00'.repeat(32)}` },
  hasLogs: true,
}

async function openJsonRpc(url: string, config: Config, { logger, signal }: Dependencies) {
  // Loaded when wanted: the Ethereum client takes tenths of a second and tens of megabytes.
  const { createJsonRpcSource } = await import('./exex/jsonrpc/createJsonRpcSource.ts')
  return createJsonRpcSource(
    {
      url,
      pollIntervalMs: config.shim.pollInterval,
      maxReorgDepth: config.shim.maxReorgDepth,
      batchBlocks: config.shim.batchBlocks,
      finalityDepth: config.finality.depth,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      startTimeoutMs: CONNECT_TIMEOUT_MS,
    },
    { logger, encodeBlock, signal },
  )
}

async function findOfficial(endpoint: Endpoint, config: Config, deps: Dependencies): Promise<NodeLink> {
  const { logger } = deps
  const source = config.node.rpc ? await openJsonRpc(config.node.rpc, config, deps) : undefined
  const fillGap = async (from: bigint, to: bigint): Promise<readonly Block[]> => {
    const blocks: Block[] = []
    for await (const { bytes } of source!.readBlocks(from, to)) blocks.push(decodeBlock(bytes))
    return blocks
  }
  logger.warn(
    { fillsGapsFrom: config.node.rpc ? 'node.rpc' : 'nothing' },
    'the official service cannot resume or be acknowledged: following it degraded',
  )
  return {
    chain: source
      ? { chainId: source.chainId, genesisHash: source.genesisHash, head: source.heads().head, hasLogs: true }
      : unknownChain,
    acknowledges: false,
    connect: ({ held }) => connectDegraded(endpoint, config, held(), source ? fillGap : undefined, deps),
    close: async () => source?.close(),
  }
}

function connectDegraded(
  endpoint: Endpoint,
  { node }: Config,
  held: readonly BlockRef[],
  fillGap: ((from: bigint, to: bigint) => Promise<readonly Block[]>) | undefined,
  { logger, signal }: Dependencies,
): ExExClient {
  const client = connectOfficial(
    {
      ...endpoint,
      held,
      ...(fillGap ? { fillGap } : {}),
      windowBytes: node.creditBytes,
      windowNotifications: node.creditNotifications,
      backoffMs: node.reconnectMinMs,
      maxBackoffMs: node.reconnectMaxMs,
    },
    { logger, signal },
  )
  let state: ExExClientState = {
    connected: false,
    sessions: 0,
    ancestor: undefined,
    head: undefined,
    safe: undefined,
    finalized: undefined,
    finishedHeight: undefined,
    lagBlocks: undefined,
    syncing: false,
    problem: undefined,
    bufferedBytes: 0,
    lastError: undefined,
  }
  let isAnchored = held.length > 0
  let greeting: WelcomeEvent | undefined
  const events$: Observable<ExExEvent> = client.events$.pipe(
    tap((event) => {
      if (event.type === 'welcome') {
        greeting = event
        state = { ...state, connected: true, sessions: state.sessions + 1 }
      }
      if (event.type === 'notification') state = { ...state, head: event.notification.head }
    }),
    mergeMap((event): readonly ExExEvent[] => {
      if (isAnchored || event.type !== 'notification') return [event]
      // The chain begins with what comes first: its parent is the anchor that the service does not name.
      isAnchored = true
      const { notification } = event
      const ancestor = notification.kind === 'reverted' ? notification.parent : notification.blocks[0]!.parent
      return [{ ...greeting!, ancestor }, event]
    }),
    catchError((error: unknown) => {
      state = { ...state, connected: false, lastError: error instanceof ExExError ? error : undefined }
      return throwError(() => error)
    }),
  )
  return { events$, grant: client.grant, acknowledge: () => {}, state: () => state }
}
