import type { Logger } from 'pino'
import { type ExExServer, startExExServer } from '#exex/server'
import { createScriptedFeed, type ScriptedFeed } from '../../../harness/feed/index.ts'
import type { Random } from '../../../harness/random.ts'
import { type ChainChange, createSimulatedChain, type SimulatedChain } from './createSimulatedChain.ts'

/** A random chain behind the real server. */
export type Feed = AsyncDisposable & {
  readonly node: SimulatedChain
  readonly feed: ScriptedFeed
  readonly server: ExExServer
  /** Number of the highest head there ever was. */
  readonly highest: bigint
  /** One random change of the chain, told to whoever listens. */
  change(): void
}

export type FeedOptions = {
  readonly seed: string
  readonly random: Random
  /** Blocks below the highest head ever that a reorg may reach; finality stays below that. */
  readonly deepest: number
}

/** Serves a chain that starts with its genesis alone. */
export async function openFeed(
  { seed, random, deepest }: FeedOptions,
  { logger }: { logger: Logger },
): Promise<Feed> {
  const feed = createScriptedFeed({ genesisTime: 1_700_000_000n })
  const node = createSimulatedChain(seed, random, feed.genesis)
  const server = await startExExServer(
    {
      listen: '127.0.0.1:0',
      source: feed,
      heartbeatMs: 50,
      sourceRetryMs: 5,
      closeTimeoutMs: 200,
      ringBlocks: 32,
      batchBlocks: 8,
    },
    { logger },
  )
  let highest = 0n
  const tell = ({ undone, added }: ChainChange) => {
    if (added.length === 0) feed.revert(undone.length)
    else if (undone.length === 0) feed.commit(added)
    else if (random.chance(0.2)) feed.commitOnAncestor(undone.length, added)
    else feed.reorg(undone.length, added)
  }
  return {
    node,
    feed,
    server,
    get highest() {
      return highest
    },
    change() {
      const floor = [highest - BigInt(deepest), node.finalized?.number ?? 0n].reduce((a, b) =>
        a > b ? a : b,
      )
      const deep = Number(node.head.number - floor)
      const depth = deep <= 0 ? 0 : 1 + random.below(Math.min(deep, 6))
      const made = random.weighted([
        [() => node.commit(1 + random.below(5)), 12],
        [() => (depth === 0 ? node.commit(1) : node.reorg(depth, depth + random.below(3))), 4],
        [() => (depth === 0 ? node.commit(1) : node.reorg(depth, random.below(depth))), 1],
        [() => node.returnToBranch(deep) ?? node.commit(1), 2],
      ])()
      tell(made)
      if (node.head.number > highest) highest = node.head.number
      const final = highest - BigInt(deepest)
      if (random.chance(0.2) && final > (node.finalized?.number ?? 0n) && final <= node.head.number) {
        node.finalize(final)
        feed.finalize(final)
      }
    },
    [Symbol.asyncDispose]: () => server.close(),
  }
}
