import type { Instance } from '../instance/types.ts'
import type { Link } from '../link/types.ts'
import type { StartedNode } from '../topology/backend.ts'
import type { Fault } from './createSchedule.ts'

/** What faults are done to: the node, and for those with a target the consumer and its link. */
export type FaultTargets = {
  readonly node: StartedNode
  readonly consumer?: { readonly instance: Instance; readonly link: Link }
}

/** Does a fault; what it returns undoes it. */
export async function beginFault(
  { kind, depth = 1 }: Fault,
  { node, consumer }: FaultTargets,
): Promise<() => Promise<void>> {
  switch (kind) {
    case 'fork': {
      if (node.state() !== 'running') return nothing
      const [head, finalized] = await Promise.all([node.head(), node.finalized()])
      // Nothing final is replaced, and a few blocks stay for a finality that is told with the next one.
      const free = Math.min(depth, Number(head.number - (finalized?.number ?? 0n)) - 2)
      if (free > 0) await node.fork(free)
      return nothing
    }
    case 'pauseNode':
      await node.pause()
      return () => node.resume()
    case 'killNode':
      await node.kill()
      await node.start()
      await node.recover()
      return nothing
    case 'killSidecar':
      await consumer!.instance.kill()
      return () => consumer!.instance.start()
    case 'pauseSidecar':
      await consumer!.instance.pause()
      return () => consumer!.instance.resume()
    case 'cutLink':
      await consumer!.link.cut()
      return () => consumer!.link.restore()
    case 'stallLink':
      await consumer!.link.stall()
      return () => consumer!.link.restore()
    case 'slowLink':
      await consumer!.link.set({ delayMs: 30, bytesPerSecond: 20_000 })
      return () => consumer!.link.restore()
    case 'resetLink':
      await consumer!.link.reset()
      return nothing
  }
}

const nothing = async () => {}
