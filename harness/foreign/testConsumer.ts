import { isDeepStrictEqual } from 'node:util'
import { until } from '../assertions/checkTopology.ts'
import { beginFault } from '../chaos/beginFault.ts'
import { createSchedule } from '../chaos/createSchedule.ts'
import { createRpc, type Rpc } from '../devnet/createRpc.ts'
import { HarnessError } from '../errors.ts'
import { startOfficialProxy } from '../feed/startOfficialProxy.ts'
import { startProcess } from '../instance/startProcess.ts'
import type { NodeKind } from '../nodes/types.ts'
import { quietPort } from '../quietPort.ts'
import type { Backend } from '../topology/backend.ts'
import { createProcessBackend } from '../topology/processBackend.ts'
import { createTimeline } from '../topology/timeline.ts'
import { createTransfers } from '../workload/createTransfers.ts'

/** What a program says of its state: its tip, and whatever else follows from the canonical chain alone. */
export type Digest = { readonly hash: string | null } & Readonly<Record<string, unknown>>

export type ConsumerTestOptions = {
  /** What the program speaks: `exex.v1`, which resumes, or the official `exex.RemoteExEx`, which cannot. */
  readonly protocol: 'exex.v1' | 'official'
  /** The command that starts it. `stream` is `host:port` of the server,
   * `port` a free one of its own. */
  readonly start: (at: { readonly stream: string; readonly port: number }) => {
    readonly file: string
    readonly args: readonly string[]
    readonly env?: Readonly<NodeJS.ProcessEnv>
  }
  /** Asks it. Throws while it does not answer. */
  readonly digest: (port: number) => Promise<Digest>
  /** What the digest must be, worked out from the node itself; undefined: only its tip is compared. */
  readonly expected?: (rpc: Rpc, digest: Digest) => Promise<Digest>
  readonly seed?: string | number
  /** Each of `blocks` blocks with faults, then a check. Default 3 of 40. */
  readonly rounds?: number
  readonly blocks?: number
  readonly nodeKind?: NodeKind
  readonly backend?: Backend
  readonly onLine?: (line: string) => void
}

export type ConsumerTestReport = {
  readonly rounds: number
  readonly blocks: number
  readonly faults: number
  readonly digest: Digest
}

const finalityDepth = 32
const maxDepth = 8

/**
 * Puts somebody else's program through forks, kills, pauses and broken links, and compares what it says of itself with the
 * node's chain whenever all is quiet.
 *
 * @throws HarnessError `CONSUMER_DIVERGED`, with what was expected, what it said, the timeline and the seed;
 *   `INSTANCE_DIED`, `INSTANCE_NOT_READY` where it does not start
 */
export async function testConsumer(options: ConsumerTestOptions): Promise<ConsumerTestReport> {
  const { protocol, seed = 1, rounds = 3, blocks = 40, nodeKind = 'anvil', onLine } = options
  const timeline = createTimeline(onLine)
  await using resources = new AsyncDisposableStack()
  const backend = resources.use(options.backend ?? (await createProcessBackend()))
  const node = await backend.startNode('node', nodeKind, { finalityDepth })
  const stream = node.reachStream ?? (await backend.startShim('shim', node, { finalityDepth })).reach
  const target = protocol === 'exex.v1' ? stream : resources.use(await startOfficialProxy(stream)).address
  const link = await backend.startLink('link', target)
  const port = await quietPort()
  const program = resources.use(
    await startProcess({
      name: 'program',
      ...asOptions(options.start({ stream: link.address, port })),
      isReady: async () => {
        try {
          await options.digest(port)
          return true
        } catch {
          return false
        }
      },
    }),
  )
  const transfers = await createTransfers({ ...node, seed })
  const rpc = createRpc(node.rpcUrl)
  const mine = async () => {
    await transfers.send(5)
    await node.mine()
  }
  let faults = 0
  const failed = (what: string) =>
    new HarnessError(
      'CONSUMER_DIVERGED',
      `expected ${what} (seed ${seed})\n${timeline.print().split('\n').slice(-30).join('\n')}\n${program.logs().slice(-2000)}`,
    )
  let digest: Digest = { hash: null }
  for (let round = 0; round < rounds; round++) {
    const schedule = createSchedule({ seed, round, blocks, sidecars: ['program'], maxDepth, rate: 0.2 })
    const mending: { readonly at: number; readonly mend: () => Promise<unknown> }[] = []
    for (let block = 0; block < blocks; block++) {
      for (const { mend } of mending.filter(({ at }) => at <= block)) await mend()
      mending.splice(0, mending.length, ...mending.filter(({ at }) => at > block))
      for (const fault of schedule.filter(({ at }) => at === block)) {
        // The node's own faults are its shim's affair.
        if (fault.target === undefined && fault.kind !== 'fork') continue
        const mend = await beginFault(fault, { node, consumer: { instance: program, link } })
        faults += 1
        timeline.note('fault', { round, ...fault })
        mending.push({ at: block + Math.max(1, fault.for), mend })
      }
      await mine()
    }
    for (const { mend } of mending) await mend()
    // A service that cannot resume tells of blocks from now on: so there must be some.
    const isCurrent = async () => {
      await mine()
      const { hash } = await node.head()
      await until('the program to follow', async () => (await options.digest(port)).hash === hash, 1000)
      return true
    }
    await until('the program to be where the node is', isCurrent, 30_000).catch(async () => {
      throw failed(
        `the program at ${(await node.head()).hash}, it says ${JSON.stringify(await options.digest(port))}`,
      )
    })
    digest = await options.digest(port)
    const expected = (await options.expected?.(rpc, digest)) ?? digest
    if (!isDeepStrictEqual(digest, expected))
      throw failed(`the program to say ${JSON.stringify(expected)}, it says ${JSON.stringify(digest)}`)
    timeline.note('checked', { round, ...digest })
  }
  return { rounds, blocks: Number((await node.head()).number), faults, digest }
}

const asOptions = ({ file, args, env }: ReturnType<ConsumerTestOptions['start']>) => ({
  file,
  args: () => args,
  ...(env === undefined ? {} : { env }),
})
