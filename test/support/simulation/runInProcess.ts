import { join } from 'node:path'
import pino from 'pino'
import { bindingDigest, type Config } from '#config'
import { buildBlock } from '../../../harness/feed/index.ts'
import { createRandom } from '../../../harness/random.ts'
import type { Metrics } from '../../../sidecar/metrics.ts'
import { chainTip } from '../../../sidecar/notification/chain.ts'
import { GapError, ReorgTooDeepError } from '../../../sidecar/notification/errors.ts'
import type { Block, BlockRef, Notification } from '../../../sidecar/notification/types.ts'
import type { PipelineEvent } from '../../../sidecar/pipeline.ts'
import type { Identity } from '../../../sidecar/watermark/identity.ts'
import { createClock } from './createClock.ts'
import { type ChainChange, createSimulatedChain, type SimulatedChain } from './createSimulatedChain.ts'
import { storeDifferences, vectorDifferences } from './differences.ts'
import { finalityBounds } from './finalityBounds.ts'
import { type Machine, openMachine } from './openMachine.ts'
import { openSink } from './openSink.ts'
import { randomConfig } from './randomConfig.ts'
import { replayNaively } from './replayNaively.ts'

export type InProcessOptions = {
  readonly seed: number
  /** For data directories; empty. */
  readonly directory: string
  /** Write to LanceDB, or to Maps that keep the same rows. */
  readonly vector: 'lancedb' | 'memory'
}

/** What happened in a run, for the summary: a run in which nothing happens shows nothing. */
export const noFacts = {
  steps: 0,
  blocks: 0,
  undone: 0,
  kills: 0,
  killedBetween: 0,
  resumes: 0,
  gaps: 0,
  checks: 0,
  envelopes: 0,
  acknowledged: 0,
  /** Of blocks from before the session. */
  acknowledgedBelow: 0,
  /** Checks at which some block was final. */
  finalized: 0,
}

export type RunFacts = Record<keyof typeof noFacts, number>

type Notify = (
  body:
    | { readonly kind: 'committed'; readonly blocks: readonly Block[] }
    | { readonly kind: 'reorged'; readonly undo: readonly BlockRef[]; readonly blocks: readonly Block[] }
    | { readonly kind: 'reverted'; readonly undo: readonly BlockRef[]; readonly parent: BlockRef },
) => Notification

export const chainId = 1337n
const logger = pino({ level: 'silent' })

/**
 * One run over the real store, stages, outbox and pipeline, fed by hand: everything that is drawn comes from the seed,
 * time passes when the run says so. Throws at the first difference from the naive model.
 */
export async function runInProcess(
  { seed, directory, vector }: InProcessOptions,
  { metrics }: { readonly metrics: Metrics },
): Promise<RunFacts> {
  const random = createRandom(seed, 'simulation')
  // When a gap shows depends on how things interleave, and a resume follows: its draws must not shift the others.
  const batches = createRandom(seed, 'batches')
  const config = randomConfig(random)
  const genesis: BlockRef = { number: 0n, hash: `0x${Buffer.from(random.bytes(32)).toString('hex')}` }
  const node = createSimulatedChain(`${seed}`, random, genesis)
  const identity: Identity = {
    ...{ chainId, genesisHash: genesis.hash, start: 1n },
    ...bindingDigest(config, {}),
  }
  const facts: RunFacts = { ...noFacts }
  const clock = createClock()
  const sink = await openSink(
    { kind: vector, directory: join(directory, 'vector'), chainId, config, seed },
    { logger },
  )
  const depthLimit = config.state.undoDepth
  let incarnation = 0
  let sequence = 0n
  let highest = 0n
  let last: Notification | undefined
  /** The chain as the events told it: nothing is applied but on the tip, nothing undone but the tip. */
  let told: BlockRef[] = []

  /** The session of now: where it began, and the blocks that were canonical then or came with it. */
  let session: { readonly ancestor: BlockRef; readonly known: Set<string> } | undefined

  /** What an event showed to be wrong; it is thrown where the run next comes to rest. */
  let wrong: Error | undefined
  const onEvent = (event: PipelineEvent) => {
    try {
      watch(event)
    } catch (error) {
      wrong ??= error as Error
    }
  }
  /** A server takes a block from before the session for acknowledged only if it is on its chain. */
  const onAcknowledge = (block: BlockRef) => {
    facts.acknowledged++
    if (session === undefined || block.number >= session.ancestor.number) return
    facts.acknowledgedBelow++
    if (session.known.has(block.hash)) return
    wrong ??= new Error(`acknowledged ${block.number} ${block.hash}, which the session of now took back`)
  }
  const watch = (event: PipelineEvent) => {
    switch (event.type) {
      case 'undone':
        for (const block of event.blocks) {
          const tip = told.pop()
          if (tip?.hash !== block.hash)
            throw new Error(`undid ${block.number} ${block.hash} at tip ${tip?.number} ${tip?.hash}`)
        }
        facts.undone += event.blocks.length
        break
      case 'applied': {
        const { block, parent } = event.effects
        const tip = told.at(-1) ?? genesis
        if (tip.hash !== parent.hash)
          throw new Error(`applied ${block.number} on ${parent.hash} at tip ${tip.hash}`)
        told.push(block)
        facts.blocks++
        break
      }
      case 'durable': {
        const { durable, finalized } = machine.store.progress()
        const height = machine.store.finishedHeight()
        if (height === undefined) break
        if (
          durable === undefined ||
          finalized === undefined ||
          height.number > durable.number ||
          height.number > finalized.number
        )
          throw new Error(
            `finished height ${height.number} is above durable ${durable?.number} or final ${finalized?.number}`,
          )
        if (told[Number(height.number) - 1]?.hash !== height.hash)
          throw new Error(`finished height ${height.number} ${height.hash} is not canonical`)
      }
    }
  }
  const open = () =>
    openMachine(
      { config, identity, directory: join(directory, `data ${incarnation}`) },
      { sink, clock, metrics, logger, onEvent, onAcknowledge },
    )
  const reopen = async () => {
    machine = await open()
    told = machine.store.recentBlocks(1_000_000).slice()
    resume()
  }
  const notify: Notify = (body) => ({
    ...body,
    ...{ epoch: '1', sequence: ++sequence, source: 'live', nodeTimeMs: 0, receivedTimeMs: 0, bytes: 1 },
    ...{ head: node.head, safe: node.finalized, finalized: node.finalized },
  })
  const announce = ({ undone, added, parent }: ChainChange, quietly = false): void => {
    const undo = undone.map(({ ref }) => ref)
    for (const { ref } of added) session?.known.add(ref.hash)
    last = notify(
      added.length === 0
        ? { kind: 'reverted', undo, parent }
        : undo.length === 0 || quietly
          ? { kind: 'committed', blocks: added }
          : { kind: 'reorged', undo, blocks: added },
    )
    machine.send(last)
  }
  const resume = () => {
    facts.resumes++
    // A new session repeats nothing of the one before.
    last = undefined
    const { refs } = machine.chain()
    // Without a locator the server begins before the first block wanted.
    const ancestor = refs.length === 0 ? genesis : refs.findLast((ref) => node.isCanonical(ref))
    if (ancestor === undefined) throw new Error('the node knows no block of the locator')
    session = { ancestor, known: new Set(node.blocks.map(({ ref }) => ref.hash)) }
    machine.send({ kind: 'resumed', ancestor })
    let rest: readonly Block[] = node.blocks.slice(Number(ancestor.number))
    while (rest.length > 0) {
      const size = 1 + batches.below(8)
      machine.send(notify({ kind: 'committed', blocks: rest.slice(0, size) }))
      rest = rest.slice(size)
    }
  }
  /** Turns of the event loop and time, so that what follows comes at any moment of what is under way. */
  const linger = async () => {
    for (let turns = random.below(30); turns > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve))
    if (random.chance(0.5)) clock.advance(random.below(60))
  }
  const settle = async () => {
    for (;;) {
      await machine.quiet()
      if (wrong !== undefined) throw wrong
      const error = machine.error()
      if (error === undefined) return
      if (!(error instanceof GapError)) throw error
      facts.gaps++
      machine.reconnect()
      resume()
    }
  }
  const deepest = () => {
    const floor = [highest - BigInt(depthLimit), node.finalized?.number ?? 0n, 0n].reduce((a, b) =>
      a > b ? a : b,
    )
    return Number(node.head.number - floor)
  }
  const noteHighest = () => {
    if (node.head.number > highest) highest = node.head.number
  }
  const change = (): ChainChange => {
    const deep = deepest()
    // Mostly shallow, as on a real chain; the whole of what is kept now and then.
    const depth = deep <= 0 ? 0 : 1 + random.below(random.chance(0.2) ? deep : Math.min(deep, 4))
    const made = random.weighted([
      [() => node.commit(1 + random.below(5)), 10],
      [() => (depth === 0 ? node.commit(1) : node.reorg(depth, depth + random.below(3))), 4],
      [() => (depth === 0 ? node.commit(2) : node.reorg(depth, 1 + random.below(depth))), 2],
      [() => (depth === 0 ? node.commit(1) : node.reorg(depth, 0)), 1],
      [() => node.returnToBranch(deep) ?? node.commit(1), 2],
    ])()
    noteHighest()
    if (random.chance(0.25)) {
      const lag = BigInt(random.below(depthLimit))
      if (node.head.number > lag) node.finalize(node.head.number - lag)
    }
    return made
  }
  const check = async (when: string) => {
    await settle()
    // The last notification may have been lost: nothing after it shows that, so the connection does.
    if (chainTip(machine.chain())?.hash !== node.head.hash) resume()
    machine.send({ kind: 'heads', finalized: node.finalized })
    await settle()
    facts.checks++
    const naive = await replayNaively({ config, chainId, blocks: node.blocks }, { logger })
    facts.envelopes = naive.results.reduce((sum, results) => sum + results.length, 0)
    const differences = await storeDifferences(machine.store, node, naive, {
      prunedTo: highest - BigInt(config.state.retainDecisions),
      finality: finalityBounds(node, highest, config.finality.depth),
    })
    if (
      JSON.stringify(told.map(({ hash }) => hash)) !== JSON.stringify(node.blocks.map(({ ref }) => ref.hash))
    )
      differences.push('the events fold to another chain than the node has')
    const { finalized } = machine.store.progress()
    if (finalized !== undefined) facts.finalized++
    differences.push(...vectorDifferences(await sink.contents(), naive, finalized))
    if (differences.length > 0)
      throw new Error(
        `${when}, at block ${node.head.number}:\n${differences.join('\n')}\nconfig ${JSON.stringify(bindingOf(config))}`,
      )
  }
  const kill = async () => {
    facts.kills++
    incarnation++
    const rows = machine.store.outboxRows()
    if (rows > 0) facts.killedBetween++
    await machine.kill(join(directory, `data ${incarnation}`))
    for (let changes = random.below(3); changes > 0; changes--) change()
    await reopen()
  }
  const actions: readonly (readonly [() => void | Promise<void>, number])[] = [
    [() => announce(change()), 40],
    [() => announce(change(), true), 4],
    [() => last && machine.send(last), 4],
    // Lost on the way: the next one does not fit, or says all there is to say.
    [() => void change(), 3],
    [
      () => {
        // Lost again, perhaps, before what came is worked on: that goes on, a lost connection takes nothing of it away.
        for (let times = 1 + random.below(3); times > 0; times--) {
          for (let changes = random.below(4); changes > 0; changes--) change()
          if (machine.error() === undefined) resume()
        }
      },
      3,
    ],
    [
      async () => {
        await settle()
        const before = machine.store.progress()
        machine.send(notify({ kind: 'committed', blocks: [strangeBlock(node)] }))
        await machine.quiet()
        if (!(machine.error() instanceof GapError)) throw new Error(`a gap gave ${machine.error()}`)
        if (machine.store.progress().durable?.hash !== before.durable?.hash)
          throw new Error('a gap changed something')
        facts.gaps++
        machine.reconnect()
        resume()
      },
      2,
    ],
    [kill, 5],
    [
      async () => {
        await machine.close()
        await reopen()
      },
      2,
    ],
    [() => machine.send({ kind: 'heads', finalized: node.finalized }), 2],
    [() => check('in the middle'), 1],
  ]

  let machine: Machine = await open()
  resume()
  if (random.chance(0.08)) announce(node.commit(150, true))
  noteHighest()
  const steps = 25 + random.below(25)
  for (let step = 0; step < steps; step++) {
    facts.steps++
    await random.weighted(actions)()
    await linger()
    // A gap that was noticed by now is healed now; one that was not is found at the next rest.
    if (machine.error() !== undefined) await settle()
  }
  await check('at the end')
  if (node.finalized !== undefined && random.chance(0.5)) await refuseDeepReorg(machine, node, notify)
  await machine.close()
  await sink.close()
  return facts
}

/** A reorg below finalized: refused loudly, and nothing of it is done. */
async function refuseDeepReorg(machine: Machine, node: SimulatedChain, notify: Notify): Promise<void> {
  const before = machine.store.progress()
  const depth = Number(node.head.number - node.finalized!.number) + 1
  const { undone, added } = node.reorg(depth, depth + 1)
  machine.send(notify({ kind: 'reorged', undo: undone.map(({ ref }) => ref), blocks: added }))
  await machine.quiet()
  if (!(machine.error() instanceof ReorgTooDeepError))
    throw new Error(`a reorg below finalized gave ${machine.error()}`)
  const after = machine.store.progress()
  if (after.durable?.hash !== before.durable?.hash) throw new Error('a refused reorg changed what is durable')
}

/** A block whose parent nobody knows. */
function strangeBlock(node: SimulatedChain): Block {
  const parent: BlockRef = { number: node.head.number + 1n, hash: `0x${'5a'.repeat(32)}` }
  return buildBlock({ parent, transactions: [{}], timestamp: 1n })
}

/** What the run turns on, for the message of a failure. */
const bindingOf = ({ state, learn, context, vector, exex }: Config) => ({
  state,
  learn,
  context,
  vector,
  exex,
})
