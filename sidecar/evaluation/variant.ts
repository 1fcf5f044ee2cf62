import type { Logger } from 'pino'
import { createRouter } from '../router/createRouter.ts'
import { openDecisions } from '../router/readDecisions.ts'
import type { BlockDecisions, PatternRow, RouterOptions, StoredDecision } from '../router/types.ts'
import type { LabelledBlock } from './types.ts'

/** A router to be evaluated: one set of options, alone in its world. */
export type VariantSpec = {
  readonly name: string
  /** What sets it apart, in words. */
  readonly about: string
  readonly options: RouterOptions
  /** Give it a vector store without rows: what is left is what context adds nothing to. */
  readonly withoutContext?: boolean
}

/** A router under evaluation, one block at a time. */
export type Variant = VariantSpec & {
  readonly modelVersion: string
  /** Milliseconds of `decide`, by block. */
  readonly latencies: readonly number[]
  /** Searches that were answered from the epoch's cache, and all: transactions, decided so far. */
  readonly cache: { hits: number; asked: number }
  /** Epochs whose context had rows. */
  readonly contextEpochs: () => number
  decide(
    labelled: LabelledBlock,
  ): Promise<{ readonly at: (row: number) => StoredDecision; readonly admitted: readonly number[] }>
  /** Teaches it what it would have seen: the EVM's outcomes, and the SVM's of what it ran. */
  settle(labelled: LabelledBlock): void
}

/** Opens a router with nothing learnt, and a vector store in memory that holds what it projects. */
export function openVariant(
  spec: VariantSpec,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Variant {
  const rows = new Map<string, PatternRow>()
  let filled = 0
  const patternsAt = async (): Promise<readonly PatternRow[]> => {
    if (spec.withoutContext === true) return []
    if (rows.size > 0) filled++
    return [...rows.values()]
  }
  const router = createRouter(
    spec.options,
    { context: { patternsAt }, logger, signal },
    { rows: () => [], tip: undefined },
  )
  const latencies: number[] = []
  const cache = { hits: 0, asked: 0 }
  let decided: BlockDecisions | undefined
  return {
    ...spec,
    modelVersion: router.modelVersion,
    latencies,
    cache,
    contextEpochs: () => filled,
    async decide({ block, envelopes }) {
      await router.prepare(block)
      const started = performance.now()
      decided = router.decide(block, envelopes)
      latencies.push(performance.now() - started)
      cache.hits += decided.cacheHits
      cache.asked += decided.cacheHits + decided.cacheMisses
      const decisions = openDecisions(decided.blob)
      return { at: decisions.at, admitted: decided.admitted }
    },
    settle({ block, outcomes }) {
      const admitted = new Set(decided?.admitted)
      const seen = outcomes.filter(({ transactionIndex }) => admitted.has(transactionIndex))
      const { patterns, removed } = router.settle(block, seen)
      for (const row of patterns ?? []) rows.set(row.id, row)
      for (const id of removed ?? []) rows.delete(id)
    },
  }
}

/** Learning this late is compared with learning from the parent block. */
const LATE = 8

/** Epochs short enough for a few dozen blocks to have context. */
const shortEpochs = { epoch: 16, lag: 8 }

const withoutModel = (options: RouterOptions): VariantSpec => ({
  name: 'no model',
  about: 'the same router without its model of envelopes',
  options: { ...options, scorer: 'pattern' },
})

/** What one set of options is compared with, itself first. */
export function variantsOf(options: RouterOptions): readonly VariantSpec[] {
  const { learn, context } = options
  const otherLag = learn.lag === 1 ? LATE : 1
  return [
    { name: 'ours', about: 'the router as configured', options },
    ...(options.scorer === 'enhanced' ? [withoutModel(options)] : []),
    {
      name: 'no context',
      about: 'the same router with a vector store that has no rows',
      options,
      withoutContext: true,
    },
    {
      name: 'short epochs',
      about: `the same router with context.epoch ${shortEpochs.epoch} and context.lag ${shortEpochs.lag}, not ${context.epoch} and ${context.lag}`,
      options: { ...options, context: { ...context, ...shortEpochs } },
    },
    {
      name: `lag ${otherLag}`,
      about: `the same router with learn.lag ${otherLag}, not ${learn.lag}`,
      options: { ...options, learn: { ...learn, lag: otherLag } },
    },
    {
      name: 'seeds',
      about: "the seeds' formula in the same router, its score taken as a probability",
      options: { ...options, scorer: 'seed' },
    },
  ]
}
