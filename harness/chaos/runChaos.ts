import { setTimeout as delay } from 'node:timers/promises'
import { checkTopology, until } from '../assertions/checkTopology.ts'
import type { Member, StartedTopology } from '../topology/startTopology.ts'
import type { Transfers } from '../workload/createTransfers.ts'
import { beginFault, type FaultTargets } from './beginFault.ts'
import { createSchedule, type Fault, type FaultKind, faultKinds } from './createSchedule.ts'

export type ChaosOptions = {
  readonly seed: string | number
  /** Ends after the round in which so many milliseconds have passed. */
  readonly forMs: number
  /** Blocks of a round, after which everything is mended and checked. Default 60. */
  readonly blocks?: number
  /** Milliseconds from block to block at least. Default 100. */
  readonly blockTimeMs?: number
  /** Transactions sent before each block. Default 10. */
  readonly transactions?: number
  /** Deepest fork. Default 20; below the topology's finality. */
  readonly maxDepth?: number
  readonly onRound?: (report: ChaosReport) => void
}

export type ChaosReport = {
  readonly seed: string | number
  readonly rounds: number
  readonly seconds: number
  readonly blocks: number
  readonly transactions: number
  readonly faults: Readonly<Record<FaultKind, number>>
  /**
   * From the end of a fault until the sidecar had durable what was the node's head then. Where another fault touched the
   * sidecar in that time it is that one's end that counts. Milliseconds.
   */
  readonly recoveries: RecoverySummary & {
    /** Of each kind that had any; a fault of the node is one for each sidecar. */
    readonly byFault: Readonly<Partial<Record<FaultKind, RecoverySummary>>>
  }
}

/** Milliseconds. */
export type RecoverySummary = { readonly count: number; readonly p50: number; readonly max: number }

/** A fault under way, the block it ends at, and what ends it. */
type Started = { readonly fault: Fault; readonly until: number; readonly end: () => Promise<void> }

const recoveryTimeoutMs = 60_000

/**
 * Rounds of traffic with faults, each from the seed, each ended by mending everything and checking all sidecars against the
 * ledger, and one of them, in turn, against a fresh run. The last check is of all against fresh runs.
 *
 * @throws HarnessError what the check found; the topology's timeline then ends with the round it was in
 */
export async function runChaos(
  topology: StartedTopology,
  transfers: Transfers,
  options: ChaosOptions,
): Promise<ChaosReport> {
  const { seed, forMs, blocks = 60, blockTimeMs = 100, transactions = 10, maxDepth = 20, onRound } = options
  const { timeline, node } = topology
  const members = [...topology.members.values()]
  const names = members.map(({ spec }) => spec.name)
  const faults: Record<FaultKind, number> = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<
    FaultKind,
    number
  >
  const recoveries: { readonly kind: FaultKind; readonly ms: number }[] = []
  const began = performance.now()
  let rounds = 0
  let made = 0

  const report = (): ChaosReport => {
    const byFault: Partial<Record<FaultKind, RecoverySummary>> = {}
    for (const kind of faultKinds) {
      const ofKind = recoveries.filter((recovery) => recovery.kind === kind)
      if (ofKind.length > 0) byFault[kind] = summarize(ofKind.map(({ ms }) => ms))
    }
    return {
      ...{ seed, rounds, blocks: made, transactions: transfers.sent(), faults },
      seconds: Math.round((performance.now() - began) / 1000),
      recoveries: { ...summarize(recoveries.map(({ ms }) => ms)), byFault },
    }
  }
  /** Of each sidecar: faults begun so far that touch it, and those under way. */
  const touches = new Map(names.map((name) => [name, { begun: 0, underWay: 0 }]))
  const touchedBy = ({ target }: Fault): readonly Member[] =>
    target === undefined ? members : [topology.members.get(target)!]
  const touch = (fault: Fault): void => {
    for (const { spec } of touchedBy(fault)) {
      const touched = touches.get(spec.name)!
      touched.begun += 1
      touched.underWay += 1
    }
  }
  /** Not waited for where it is begun: the chain goes on meanwhile. */
  const recovered = async (member: Member, kind: FaultKind, from: number): Promise<void> => {
    let number = 0n
    const touched = touches.get(member.spec.name)!
    const { begun } = touched
    const isUndisturbed = () => touched.underWay === 0 && touched.begun === begun
    const counts = isUndisturbed()
    // The node may be down just now.
    const answers = async () => {
      number = (await node.head()).number
      return true
    }
    await until('the node to answer', answers, recoveryTimeoutMs)
    const what = `${member.spec.name} to recover`
    await until(
      what,
      async () => {
        // A fork may have made the chain shorter since.
        const [{ durable }, head] = await Promise.all([member.sidecar.status(), node.head()])
        return durable !== null && (BigInt(durable.number) >= number || durable.hash === head.hash)
      },
      recoveryTimeoutMs,
    )
    if (!counts || !isUndisturbed()) return
    const ms = performance.now() - from
    timeline.note('recovered', { kind, sidecar: member.spec.name, ms: Math.round(ms) })
    recoveries.push({ kind, ms })
  }

  while (performance.now() - began < forMs || rounds === 0) {
    const schedule = createSchedule({ seed, round: rounds, blocks, sidecars: names, maxDepth, rate: 0.25 })
    timeline.note(`round ${rounds}`, { faults: schedule.length })
    const running: Started[] = []
    const recovering: Promise<void>[] = []
    /** A target is let recover before it is hit again. */
    const busy = new Map<string, Promise<void>>()
    const mend = (started: Started) => {
      const mending = endOf(started)
      // A failure of it is taken at the end of the round.
      mending.catch(() => {})
      recovering.push(mending)
      busy.set(started.fault.target ?? 'node', mending)
    }
    for (let block = 0; block < blocks; block++) {
      const due = performance.now() + blockTimeMs
      for (const fault of [...running].filter((candidate) => candidate.until <= block)) {
        running.splice(running.indexOf(fault), 1)
        mend(fault)
      }
      for (const fault of schedule.filter(({ at }) => at === block)) {
        faults[fault.kind] += 1
        const { at: _, ...facts } = fault
        timeline.note('fault', facts)
        if (fault.kind !== 'fork') {
          await busy.get(fault.target ?? 'node')
          touch(fault)
        }
        const end = await beginFault(fault, targetsOf(topology, fault))
        const started = { fault, until: block + fault.for, end }
        if (fault.for > 0) running.push(started)
        else if (fault.kind !== 'fork') mend(started)
      }
      await makeBlock()
      const rest = due - performance.now()
      if (rest > 0) await delay(rest)
    }
    for (const fault of running) mend(fault)
    await Promise.all(recovering)
    // What a restart of the node took from the pool is sent again, and the sidecars have a head to be at.
    await makeBlock()
    rounds += 1
    await checkTopology(topology, { freshRun: false })
    await checkTopology(topology, { without: names.filter((_, index) => index !== rounds % names.length) })
    onRound?.(report())
  }
  await checkTopology(topology)
  return report()

  async function makeBlock(): Promise<void> {
    // A node that stands still takes nothing; its blocks are left out.
    if (node.state() !== 'running') return
    await transfers.send(transactions)
    await node.mine()
    made += 1
  }
  async function endOf({ fault, end }: Started): Promise<void> {
    const from = performance.now()
    await end()
    timeline.note('mended', { kind: fault.kind, ...(fault.target && { target: fault.target }) })
    const touched = touchedBy(fault)
    for (const { spec } of touched) touches.get(spec.name)!.underWay -= 1
    await Promise.all(touched.map((member) => recovered(member, fault.kind, from)))
  }
}

function summarize(values: readonly number[]): RecoverySummary {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
  return { count: sorted.length, p50: at(0.5), max: at(1) }
}

/** What a fault of this topology is done to. */
function targetsOf({ node, members }: StartedTopology, { target }: Fault): FaultTargets {
  if (target === undefined) return { node }
  const { sidecar, link } = members.get(target)!
  return { node, consumer: { instance: sidecar, link } }
}
