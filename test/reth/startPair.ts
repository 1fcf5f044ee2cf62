import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ConsensusDriver,
  createConsensusDriver,
  createTraffic,
  type Reth,
  type RethOptions,
  type Sidecar,
  startReth,
  startSidecar,
  type TrafficSender,
} from '#harness'

/** The program under test: `docker/reth-exex/node`, built by hand. */
export const binary = process.env.MONMOUTH_RETH ?? ''

if (binary === '')
  console.warn(
    'skipped: MONMOUTH_RETH names no monmouth-reth (docker/reth-exex/README.md says how to build it)',
  )

/** A node that is told by a consensus driver what to do, a sidecar that follows it, and traffic. */
export type Pair = AsyncDisposable & {
  readonly node: Reth
  readonly driver: ConsensusDriver
  readonly sidecar: Sidecar
  readonly traffic: TrafficSender
  readonly folder: string
  /** Sends so many transactions, then has a block built. */
  mine(transactions: number): Promise<void>
}

/** The driver's finality: forks are less deep. */
export const finalityDepth = 32

export async function startPair(options: Partial<RethOptions> & { readonly seed: number }): Promise<Pair> {
  const resources = new AsyncDisposableStack()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'monmouth-reth-'))
    resources.defer(() => rm(folder, { recursive: true, force: true }))
    const node = resources.use(await startReth({ binary, dataDir: join(folder, 'node'), ...options }))
    const driver = await createConsensusDriver({ ...node, finalityDepth })
    const sidecar = resources.use(
      await startSidecar({ url: `grpc://${node.exexAddress}`, dataDir: join(folder, 'sidecar') }),
    )
    const traffic = await createTraffic({ rpcUrl: node.rpcUrl, chainId: node.chainId, seed: options.seed })
    return {
      node,
      driver,
      sidecar,
      traffic,
      folder,
      mine: async (transactions) => {
        await traffic.send(transactions)
        await driver.mine()
      },
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    }
  } catch (error) {
    await resources.disposeAsync()
    throw error
  }
}

/** A line of the record that the README's table is made from. */
export function seen(what: string, facts: Record<string, unknown>): void {
  console.log(`${what}: ${JSON.stringify(facts)}`)
}

/** A metric of reth by name, its labels as part of it; undefined where it is not shown. */
export async function metricOf(node: Reth, name: string): Promise<number | undefined> {
  const text = await (await fetch(node.metricsUrl)).text()
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length + 1))
}
