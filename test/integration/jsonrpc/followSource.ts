import { crc32 } from 'node:zlib'
import pino from 'pino'
import type { Hash } from 'viem'
import {
  createJsonRpcSource,
  type JsonRpcSourceOptions,
} from '../../../sidecar/exex/jsonrpc/createJsonRpcSource.ts'
import type {
  ChainSource,
  EncodeBlock,
  EncodedBlock,
  SourceEvent,
} from '../../../sidecar/exex/server/types.ts'
import type { Block, BlockRef } from '../../../sidecar/notification/types.ts'
import type { StartedAnvil } from './startAnvil.ts'

export type FollowedSource = AsyncDisposable & {
  readonly source: ChainSource
  readonly events: readonly SourceEvent[]
  /** The naive fold of every event over the chain at the start: number to hash, up to the tip. */
  readonly chain: ReadonlyMap<bigint, Hash>
  /** Whatever the fold found wrong with an event: a wrong parent, an undo of a block that was not the tip. */
  readonly faults: readonly string[]
  /** Every method called, in order. */
  readonly calls: readonly string[]
  blockOf(encoded: EncodedBlock): Block
}

/** Encodes nothing: keeps the block beside its reference, so that a test can look into it. */
export function keepBlocks(): { readonly encodeBlock: EncodeBlock; blockOf(encoded: EncodedBlock): Block } {
  const blocks = new WeakMap<EncodedBlock, Block>()
  return {
    encodeBlock: (block) => {
      const bytes = Buffer.from(block.ref.hash.slice(2), 'hex')
      const encoded = { ref: block.ref, parent: block.parent, bytes, crc32: crc32(bytes) }
      blocks.set(encoded, block)
      return encoded
    },
    blockOf: (encoded) => blocks.get(encoded)!,
  }
}

export const defaults = {
  pollIntervalMs: 50,
  maxReorgDepth: 64,
  batchBlocks: 32,
  finalityDepth: 64,
  requestTimeoutMs: 10_000,
  maxRetryDelayMs: 200,
} as const satisfies Omit<JsonRpcSourceOptions, 'url'>

/** A source on a node, with everything it tells folded naively from the start on. */
export async function followSource(
  options: Partial<JsonRpcSourceOptions> & { url: string },
): Promise<FollowedSource> {
  const { encodeBlock, blockOf } = keepBlocks()
  const lifetime = new AbortController()
  const calls: string[] = []
  const metrics = { requestDone: (method: string) => calls.push(method), reorged: () => {} }
  const source = await createJsonRpcSource(
    { ...defaults, ...options },
    {
      logger: pino({ level: process.env.TEST_LOG ?? 'silent' }),
      encodeBlock,
      signal: lifetime.signal,
      metrics,
    },
  )
  const events: SourceEvent[] = []
  const faults: string[] = []
  const start = source.heads().head
  const chain = new Map<bigint, Hash>()
  let tip: BlockRef = start
  const expectSame = (what: string, expected: BlockRef, actual: BlockRef) => {
    if (expected.number !== actual.number || expected.hash !== actual.hash)
      faults.push(
        `event ${events.length}: ${what} is ${actual.number} ${actual.hash}, not ${expected.number} ${expected.hash}`,
      )
  }
  source.subscribe((event) => {
    events.push(event)
    for (const undone of event.undo.toReversed()) {
      expectSame('undone block', tip, undone)
      chain.delete(undone.number)
      tip = { number: tip.number - 1n, hash: chain.get(tip.number - 1n)! }
    }
    expectSame('parent', tip, event.parent)
    for (const { ref, parent } of event.blocks) {
      expectSame(`parent of block ${ref.number}`, tip, parent)
      tip = ref
      chain.set(ref.number, ref.hash)
    }
    expectSame('head', tip, event.head)
    expectSame('head of heads()', tip, source.heads().head)
    if (event.finalized !== undefined && event.finalized.number > event.head.number)
      faults.push('finalized above head')
  })
  const { oldestBlock } = source.heads()
  for (let number = oldestBlock; number <= start.number; number++)
    chain.set(number, (await source.canonicalRef(number))!.hash)
  return {
    source,
    events,
    chain,
    faults,
    calls,
    blockOf,
    [Symbol.asyncDispose]: async () => {
      await source.close()
      lifetime.abort()
    },
  }
}

/** Far more than any condition here takes: past it the test fails and, unlike by its own time limit, closes what it opened. */
const GIVE_UP_MS = 60_000

/** Resolves when `holds` does. Throws when that will not come any more. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + GIVE_UP_MS
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`never came true within ${GIVE_UP_MS} ms: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export async function untilAtHead(followed: FollowedSource, node: StartedAnvil): Promise<void> {
  await until(async () => {
    const { hash } = await node.request('eth_getBlockByNumber', ['latest', false])
    return followed.source.heads().head.hash === hash
  })
}

/** The blocks of the folded chain whose hash is not the node's, plus what the fold itself found wrong. */
export async function differences(followed: FollowedSource, node: StartedAnvil): Promise<string[]> {
  const found = [...followed.faults]
  const head = followed.source.heads().head
  if (followed.chain.size !== Number(head.number) + 1)
    found.push(`${followed.chain.size} blocks, head ${head.number}`)
  for (const [number, hash] of followed.chain) {
    const block = await node.request('eth_getBlockByNumber', [`0x${number.toString(16)}`, false])
    if (block?.hash !== hash) found.push(`block ${number}: told ${hash}, node has ${block?.hash ?? 'none'}`)
  }
  return found
}
