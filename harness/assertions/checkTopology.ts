import { setTimeout as delay } from 'node:timers/promises'
import { HarnessError } from '../errors.ts'
import type { Member, StartedTopology } from '../topology/startTopology.ts'
import { compareWithFreshRun } from './compareWithFreshRun.ts'
import { compareWithLedger } from './compareWithLedger.ts'

export type CheckOptions = {
  /** How long the sidecars may take to be where the node is. Default 60 000. */
  readonly timeoutMs?: number
  /** Members that are left out: stopped, or not expected to be right now. */
  readonly without?: readonly string[]
  /** Also compare with a fresh run, which takes seconds. Default true. */
  readonly freshRun?: boolean
}

/** Most a sidecar and its vector store may hold, bytes. */
const memoryBound = 1_500_000_000

/**
 * The oracle, at a quiet point: nothing is sent, nothing is broken. Every sidecar holds what a fresh run over its node's canonical chain holds, and
 * what the ledger says; its books balance; FinishedHeight is at or below what is durable and what is final; queues and
 * memory are within bounds; the node is alive.
 *
 * @throws HarnessError `SIDECAR_BEHIND`, `SIDECAR_DIVERGED`, `LEDGER_UNSUITABLE`
 */
export async function checkTopology(topology: StartedTopology, options: CheckOptions = {}): Promise<void> {
  const { timeoutMs = 60_000, without = [], freshRun = true } = options
  for (const [name, node] of topology.nodes) {
    if (node.state() !== 'running')
      throw new HarnessError('SIDECAR_DIVERGED', `expected ${name} to run, it is ${node.state()}`)
  }
  const checked = [...topology.members.values()].filter(({ spec }) => !without.includes(spec.name))
  for (const member of checked) {
    const { sidecar } = member
    const node = topology.nodes.get(member.node)!
    await sidecar.untilDurable(await node.head(), timeoutMs)
    await compareWithLedger(sidecar, node.rpcUrl)
    await checkBounds(topology, member)
  }
  // One fresh run for all that hold the same: by the ledger and its head they do, so the most different one is taken.
  if (freshRun) {
    for (const { sidecar, node } of checked) {
      await compareWithFreshRun(sidecar, topology.nodes.get(node)!.rpcUrl, [
        'decision_engine.min_evidence=1000000',
      ])
    }
  }
  topology.timeline.note('checked', { members: checked.map(({ spec }) => spec.name), freshRun })
}

async function checkBounds(topology: StartedTopology, { sidecar, balance, node }: Member): Promise<void> {
  const problems = [...balance.problems()]
  const { finishedHeight, durable } = await sidecar.status()
  const finalized = (await topology.nodes.get(node)!.finalized())?.number ?? 0n
  if (finishedHeight !== null) {
    const bound = Math.min(durable?.number ?? 0, Number(finalized))
    if (finishedHeight.number > bound)
      problems.push(`finished height: expected at most ${bound}, it is ${finishedHeight.number}`)
  }
  const metrics = await metricsOf(sidecar)
  const queued = metrics.get('monmouth_queue_notifications') ?? 0
  if (queued > 0) problems.push(`expected an empty queue, ${queued} notifications are in it`)
  const memory = metrics.get('monmouth_process_resident_memory_bytes') ?? 0
  if (memory > memoryBound) problems.push(`memory: expected at most ${memoryBound} bytes, it is ${memory}`)
  if (problems.length > 0)
    throw new HarnessError(
      'SIDECAR_DIVERGED',
      `expected ${sidecar.name} to keep its bounds: ${problems.join('; ')}`,
    )
}

async function metricsOf(sidecar: Member['sidecar']): Promise<ReadonlyMap<string, number>> {
  const { body } = await sidecar.get('/metrics')
  const samples = String(body)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' ') as [string, string])
  return new Map(samples.map(([name, value]) => [name, Number(value)]))
}

/** Resolves once a condition holds, asked again and again. @throws HarnessError `SIDECAR_BEHIND` with `what` after `timeoutMs` */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const limit = performance.now() + timeoutMs
  while (!(await condition().catch(() => false))) {
    if (performance.now() > limit)
      throw new HarnessError('SIDECAR_BEHIND', `expected ${what} within ${timeoutMs} ms`)
    await delay(20)
  }
}
