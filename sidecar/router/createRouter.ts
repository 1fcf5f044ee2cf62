import { randomInt } from 'node:crypto'
import type { StateWrite } from '../notification/stateWrite.ts'
import type { Block, BlockRef } from '../notification/types.ts'
import { BlockFeatures } from './blockFeatures.ts'
import { BlockPatterns } from './blockPatterns.ts'
import { checkOptions, type ResolvedOptions } from './checkOptions.ts'
import { ContextEpochs } from './contextEpochs.ts'
import { MAX_NEIGHBOURS } from './contextIndex.ts'
import { createDecay, type Decay } from './decay.ts'
import { DecisionBlobs } from './decisionBlob.ts'
import { createEnhancedScorer } from './enhancedScorer.ts'
import { EnvelopeModel } from './envelopeModel.ts'
import { Learner } from './learner.ts'
import { modelVersionOf } from './modelVersion.ts'
import { NeighbourCache } from './neighbourCache.ts'
import { createPatternScorer } from './patternScorer.ts'
import { PatternTable } from './patternTable.ts'
import { createPolicy, rules } from './policy.ts'
import { projectPatterns } from './projectPatterns.ts'
import { RouterError } from './routerError.ts'
import type { Scorer, Scores } from './scorer.ts'
import { createSeedScorer } from './seedScorer.ts'
import { sweepPatterns } from './sweepPatterns.ts'
import {
  type BlockDecisions,
  type EnvelopeFacts,
  type ItemOutcome,
  type Router,
  type RouterDependencies,
  type RouterOptions,
  type RouterState,
  routes,
  type Settled,
} from './types.ts'

const routerTables = ['pattern', 'outcome', 'context', 'projected', 'model'] as const
type RouterTable = (typeof routerTables)[number]
const NO_JUDGEMENTS = new Uint8Array(0)

/** Ids without any use that may pile up before they are forgotten. */
const SPARE_IDS = 16_384
const routeOfRule = Uint8Array.from(rules, (rule) => routes.indexOf(rule.route))

/**
 * The routing stage, as of the state it is given. Everything it learns leaves it as writes of `settle`, and comes back
 * through `undo` or the next start: a router that lived through any sequence of blocks and undos equals one loaded from
 * the tables those leave, and one that only ever saw the canonical chain. Throws `RouterError`.
 *
 * @example
 * await router.prepare(block)
 * const { admitted, blob } = router.decide(block, envelopes)
 * const outcome = await executor.execute(block, parsed, admitted)
 * const { writes, patterns, removed } = router.settle(block, outcome.results)
 */
export function createRouter(
  options: RouterOptions,
  dependencies: RouterDependencies,
  state: RouterState,
): Router {
  return new PatternRouter(checkOptions(options), dependencies, state)
}

/** A block that is being decided: what it changed so far, and can be taken back. */
type OpenBlock = {
  readonly ref: BlockRef
  readonly number: number
  readonly congestion: number
  readonly writes: StateWrite[]
  decided: boolean
}

class PatternRouter implements Router {
  readonly modelVersion: string
  private readonly options: ResolvedOptions
  private readonly decay: Decay
  private readonly table = new PatternTable(randomInt(2 ** 32) | 0)
  /** Only `enhanced` has one. */
  private readonly model: EnvelopeModel | undefined
  private readonly learner: Learner
  private readonly epochs: ContextEpochs
  private readonly neighbours: NeighbourCache
  private readonly features = new BlockFeatures()
  private readonly patterns = new BlockPatterns()
  private readonly scorer: Scorer
  private readonly policy: ReturnType<typeof createPolicy>
  private readonly blobs: DecisionBlobs
  private scores = createScores(256)
  private idLimit = 2 * SPARE_IDS
  private tip: BlockRef | undefined
  private open: OpenBlock | undefined

  constructor(options: ResolvedOptions, dependencies: RouterDependencies, state: RouterState) {
    this.options = options
    this.decay = createDecay(options.learn.halfLife)
    this.model =
      options.scorer === 'enhanced'
        ? new EnvelopeModel(options.learn.halfLife, options.policy.runAbove)
        : undefined
    const { lag } = options.learn
    this.learner = new Learner(this.table, this.decay, { lag, maxPatterns: options.maxPatterns }, this.model)
    this.epochs = new ContextEpochs(options, dependencies, this.decay)
    this.neighbours = new NeighbourCache(Math.min(options.context.neighbours, MAX_NEIGHBOURS))
    this.scorer = createScorer(options, this.decay, this.model)
    this.modelVersion = modelVersionOf(this.scorer, options)
    this.policy = createPolicy(options.policy, this.scorer)
    this.blobs = new DecisionBlobs(this.scorer, this.modelVersion)
    for (const table of routerTables) {
      for (const { key, value } of state.rows(table)) this.put(table, key, value)
    }
    this.tip = state.tip
  }

  prepare(block: Block): Promise<void> | undefined {
    return this.epochs.prepare(Number(block.ref.number))
  }

  decide(block: Block, envelopes: ReadonlyMap<number, EnvelopeFacts>): BlockDecisions {
    const open = this.begin(block)
    const { features, patterns, neighbours, table } = this
    const { count } = block.transactions
    const index = this.epochs.activate(open.number)
    neighbours.use(index)
    features.load(block.transactions)
    patterns.collect(features, block.transactions, envelopes, table)
    const searched = neighbours.lookUp(patterns.ids, patterns.count, table)
    const blob = this.blobs.open(count, patterns, table, neighbours, index.snapshot)
    if (this.scores.score.length < count) this.scores = createScores(count * 2)
    this.scores.rates = blob.rates
    this.scores.parts = blob.parts
    this.scores.judgements = NO_JUDGEMENTS
    const { number, congestion } = open
    this.scorer.score(
      { block, number, envelopes, congestion, features, patterns, table, neighbours },
      this.scores,
    )
    const notes = this.policy(count, patterns, envelopes, this.scores, blob.rules, blob.confidence)
    open.decided = true
    return {
      blob: this.blobs.close(blob, this.scores.judgements, notes),
      ...countRoutes(blob.rules, envelopes),
      cacheHits: count - searched,
      cacheMisses: searched,
    }
  }

  settle(block: Block, outcomes: readonly ItemOutcome[]): Settled {
    const { open, options, table, decay } = this
    if (open === undefined || !open.decided || open.ref.hash !== block.ref.hash) {
      throw outOfOrder('the block decided last', open?.ref, block)
    }
    const { writes, number } = open
    this.learner.settle(block, this.features, this.patterns, outcomes, writes)
    this.epochs.settle(number, writes)
    this.open = undefined
    this.tip = block.ref
    const { epoch, patterns: limit } = options.context
    if (number === 0 || number % epoch !== 0) return { writes, patterns: undefined, removed: undefined }
    const { lag, halfLife } = options.learn
    const removed = sweepPatterns(
      table,
      decay,
      { block: number, lag, halfLife, maxPatterns: options.maxPatterns },
      writes,
    )
    const facts = { boundary: number, previous: number - epoch, lag, limit }
    return { writes, patterns: projectPatterns(table, decay, facts, writes), removed }
  }

  undo(
    undone: readonly { readonly block: BlockRef; readonly writes: readonly StateWrite[] }[],
    tip: BlockRef,
  ): void {
    this.abandon()
    this.epochs.forgetPending()
    for (const { writes } of undone) this.takeBack(writes)
    this.tip = tip
  }

  /** Opens a block: what is due is learnt. Deciding the same block again changes nothing. */
  private begin(block: Block): OpenBlock {
    if (this.open?.ref.hash === block.ref.hash) return this.open
    this.abandon()
    const { tip } = this
    if (tip !== undefined && (block.parent.hash !== tip.hash || block.ref.number !== tip.number + 1n)) {
      throw outOfOrder('a child of the tip', tip, block)
    }
    const number = Number(block.ref.number)
    // Nothing may have been learnt when the context turns out to be missing.
    this.epochs.activate(number)
    if (this.table.count > this.idLimit) this.forgetIds()
    const writes: StateWrite[] = []
    const congestion = this.learner.congestion(number)
    this.learner.learn(number, writes)
    this.open = { ref: block.ref, number, congestion, writes, decided: false }
    return this.open
  }

  /** Takes back a block that was decided and never settled. */
  private abandon(): void {
    if (this.open !== undefined) this.takeBack(this.open.writes)
    this.open = undefined
  }

  private takeBack(writes: readonly StateWrite[]): void {
    for (let i = writes.length - 1; i >= 0; i--) {
      const { table, key, before } = writes[i]!
      if (isRouterTable(table)) this.put(table, key, before)
    }
  }

  private put(table: RouterTable, key: Uint8Array, value: Uint8Array | undefined): void {
    if (table === 'pattern') this.table.setState(this.table.internBytes(key), value)
    else if (table === 'projected') this.table.setRow(this.table.internBytes(key), value)
    else if (table === 'outcome') this.learner.put(key, value)
    else if (table === 'model') this.model?.put(key, value)
    else this.epochs.put(key, value)
  }

  private forgetIds(): void {
    const keep = new Uint8Array(this.table.count)
    this.learner.markPending(keep)
    this.learner.rename(this.table.compact(keep))
    this.neighbours.clear()
    this.idLimit = 2 * (this.table.count + SPARE_IDS)
  }
}

function isRouterTable(table: string): table is RouterTable {
  return (routerTables as readonly string[]).includes(table)
}

function createScorer(options: ResolvedOptions, decay: Decay, model: EnvelopeModel | undefined): Scorer {
  if (model !== undefined) return createEnhancedScorer(options, decay, model)
  return options.scorer === 'seed' ? createSeedScorer() : createPatternScorer(options, decay)
}

function createScores(rows: number): Scores {
  return {
    rates: new Float32Array(0),
    parts: new Uint8Array(0),
    score: new Float64Array(rows),
    lower: new Float64Array(rows),
    upper: new Float64Array(rows),
    needed: new Float64Array(rows),
    evidence: new Float64Array(rows),
    judgements: NO_JUDGEMENTS,
  }
}

function countRoutes(chosen: Uint8Array, envelopes: ReadonlyMap<number, EnvelopeFacts>) {
  const routeCodes = new Uint8Array(chosen.length)
  const perRule = new Uint32Array(rules.length)
  for (let row = 0; row < chosen.length; row++) {
    perRule[chosen[row]!]!++
    routeCodes[row] = routeOfRule[chosen[row]!]!
  }
  const counts = { executeOnSvm: 0, executeOnEvm: 0, skip: 0 }
  rules.forEach((rule, index) => {
    counts[rule.route] += perRule[index]!
  })
  // Only envelopes are ever routed to the SVM; their map may come in any order.
  const admitted = [...envelopes.keys()].filter((row) => routeCodes[row] === 0).sort((a, b) => a - b)
  return { routeCodes, counts, admitted }
}

function outOfOrder(expected: string, known: BlockRef | undefined, block: Block): RouterError {
  const named = known === undefined ? 'none' : `${known.number} ${known.hash}`
  return new RouterError(
    'out of order',
    {
      expected: `${expected} (${named})`,
      received: `block ${block.ref.number} ${block.ref.hash}, child of ${block.parent.hash}`,
      where: 'the order of calls',
      action: 'Undo to the common ancestor first, then prepare, decide and settle each block in chain order.',
    },
    { known, block: block.ref },
  )
}
