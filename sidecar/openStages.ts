import type { Logger } from 'pino'
import type { Config } from '#config'
import { createFindings } from './findings/createFindings.ts'
import type { Metrics } from './metrics.ts'
import type { BlockRef } from './notification/types.ts'
import type { OutboxPump } from './outbox/outboxPump.ts'
import type { Stages } from './pipeline.ts'
import { createRouter } from './router/createRouter.ts'
import type { Router, RouterOptions } from './router/types.ts'
import { createStages, type Tally } from './stages.ts'
import { decodeBase58 } from './svm/base58.ts'
import { createLiteSvmExecutor } from './svm/liteSvmExecutor.ts'
import { BLOCKHASH_WINDOW } from './svm/recentBlocks.ts'
import type { SvmExecutor } from './svm/types.ts'
import type { Store } from './watermark/store.ts'

/** Patterns with learner state, at most: about 200 bytes each in memory. */
const MAX_PATTERNS = 1_048_576

export type OpenedStages = {
  readonly stages: Stages
  readonly tally: Tally
  readonly router: Router
  readonly svm: SvmExecutor
}

/** The router's options as the configuration has them. */
export function routerOptions(config: Config): RouterOptions {
  const { decisionEngine, learn, context, svm, state } = config
  return {
    scorer: decisionEngine.modelType,
    learn: { lag: learn.lag, halfLife: learn.halfLife, priorWeight: learn.priorWeight },
    context: {
      lag: context.lag,
      epoch: context.epoch,
      patterns: context.patterns,
      neighbours: context.neighbours,
      onUnavailable: context.onUnavailable,
      retryMs: 500,
    },
    policy: {
      runAbove: decisionEngine.confidenceThreshold,
      skipBelow: decisionEngine.hopelessThreshold,
      unsafeBelow: decisionEngine.safetyThreshold,
      minEvidence: decisionEngine.minEvidence,
      deniedPrograms: svm.deniedPrograms.map((id) => decodeBase58(id)!),
      maxPayloadBytes: decisionEngine.maxPayloadBytes,
    },
    maxPatterns: MAX_PATTERNS,
    keptUndo: state.undoDepth,
  }
}

/** The router and the SVM, as the store left them, joined into the pipeline's stages. */
export async function openStages(
  parts: {
    readonly config: Config
    readonly chainId: bigint
    readonly store: Store
    readonly pump: OutboxPump
    readonly metrics: Metrics
  },
  { logger, signal }: { logger: Logger; signal: AbortSignal },
): Promise<OpenedStages> {
  const { config, chainId, store, pump, metrics } = parts
  const tip: BlockRef | undefined = store.progress().durable
  const router = createRouter(
    routerOptions(config),
    {
      // Asked one turn later: the pipeline commits what is staged first, and the rows asked for may be among it.
      context: { patternsAt: (boundary) => Promise.resolve().then(() => pump.patternsAt(boundary)) },
      logger: logger.child({ part: 'router' }),
      signal,
    },
    { rows: (table) => store.rows(table), tip },
  )
  const svm = await openExecutor(config, store, { logger: logger.child({ part: 'svm' }), signal })
  const findings = config.findings.enabled ? createFindings(config.findings, store) : undefined
  const { stages, tally } = createStages(
    { router, svm, findings, store, pump, metrics },
    {
      chainId,
      svmRouter: config.svm.router,
      rowsPerBlock: config.vector.rowsPerBlock,
      contextEpoch: config.context.epoch,
    },
  )
  return { stages, tally, router, svm }
}

/** A cluster cannot take anything back, so its executor is promised final blocks, and the pipeline keeps the promise. */
async function openExecutor(
  { svm, state }: Config,
  store: Store,
  { logger, signal }: { logger: Logger; signal: AbortSignal },
): Promise<SvmExecutor> {
  if (svm.executor === 'rpc') {
    // Loaded when wanted: the Solana client takes tenths of a second and tens of megabytes.
    const { createRpcExecutor } = await import('./svm/rpcExecutor.ts')
    return createRpcExecutor({ url: svm.rpcUrl!, finalized: true }, { logger, signal })
  }
  return createLiteSvmExecutor(
    { programs: svm.programs, undoDepth: state.undoDepth },
    {
      logger,
      state: {
        rows: (table) => store.rows(table),
        recentBlocks: store.recentBlocks(state.undoDepth + BLOCKHASH_WINDOW),
        signatures: store.signatures(),
      },
    },
  )
}
