import { createRandom } from '../random.ts'

/** What can be done to a topology. */
export const faultKinds = [
  'killSidecar',
  'pauseSidecar',
  'cutLink',
  'stallLink',
  'resetLink',
  'slowLink',
  'fork',
  'killNode',
  'pauseNode',
] as const
export type FaultKind = (typeof faultKinds)[number]

export type Fault = {
  /** Block of the round before which it begins, from 0. */
  readonly at: number
  readonly kind: FaultKind
  /** A sidecar; undefined where the node is meant. */
  readonly target?: string
  /** Blocks until it ends; 0 where it is over at once. */
  readonly for: number
  /** Blocks replaced, of `fork`. */
  readonly depth?: number
}

export type ScheduleOptions = {
  readonly seed: string | number
  readonly round: number
  /** Blocks of a round. */
  readonly blocks: number
  readonly sidecars: readonly string[]
  /** Deepest fork. */
  readonly maxDepth: number
  /** Faults begun in the place of one block, on average. */
  readonly rate: number
}

const mix: readonly (readonly [FaultKind, number])[] = [
  ['killSidecar', 20],
  ['pauseSidecar', 8],
  ['cutLink', 14],
  ['stallLink', 6],
  ['resetLink', 10],
  ['slowLink', 8],
  ['fork', 30],
  ['killNode', 3],
  ['pauseNode', 1],
]

/** The faults of one round, oldest first: the same options give the same ones. No target has two at a time. */
export function createSchedule(options: ScheduleOptions): readonly Fault[] {
  const { seed, round, blocks, sidecars, maxDepth, rate } = options
  const random = createRandom(seed, `chaos ${round}`)
  const busyUntil = new Map<string, number>()
  const faults: Fault[] = []
  for (let at = 0; at < blocks; at++) {
    if (!random.chance(rate)) continue
    const kind = random.weighted(mix)
    if (kind === 'fork') {
      // Mostly as on a chain: short ones.
      const depth = random.chance(0.7) ? 1 + random.below(3) : 1 + random.below(maxDepth)
      faults.push({ at, kind, for: 0, depth })
      continue
    }
    const isNode = kind === 'killNode' || kind === 'pauseNode'
    const target = isNode ? 'node' : random.pick(sidecars)
    if ((busyUntil.get(target) ?? 0) > at) continue
    const lasts =
      kind === 'resetLink' || kind === 'killNode' ? 0 : 1 + random.below(kind === 'pauseNode' ? 2 : 12)
    busyUntil.set(target, at + lasts + 1)
    faults.push({ at, kind, for: lasts, ...(isNode ? {} : { target }) })
  }
  return faults
}
