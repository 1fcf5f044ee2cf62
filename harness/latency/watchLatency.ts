import { build, type Histogram } from 'hdr-histogram-js'
import type { Hash } from 'viem'
import { HarnessError } from '../errors.ts'
import type { Sidecar } from '../sidecar/startSidecar.ts'

/** Where the time of a block goes, from one event to a later one. */
export const stretches = {
  /** From the node's commit (or its being due, whichever is earlier) to the notification being whole at the sidecar. */
  commitToReceived: 'commit → received',
  /** From there to its being decided and run. */
  receivedToApplied: 'received → applied',
  /** From there to its being in the database. */
  appliedToDurable: 'applied → durable',
  /** From there to the server's answer. */
  durableToAcknowledged: 'durable → acknowledged',
  /** The whole of it. */
  commitToAcknowledged: 'commit → acknowledged',
} as const

export type Stretch = keyof typeof stretches

export type LatencySummary = {
  /** Blocks counted. */
  readonly count: number
  /** Milliseconds. */
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

export type LatencyWatch = AsyncDisposable & {
  /**
   * A block was committed. @param atMs Unix milliseconds (fractional). At a fixed rate, the time it was due: a generator that is
   * held up by what it measures would else leave out what it should have measured.
   */
  committed(hash: Hash, atMs: number): void
  /** Resolves once a block is acknowledged. */
  acknowledged(hash: Hash): Promise<void>
  /** When the server had each block from its node, and when it was durable here: by height, Unix milliseconds. */
  nodeTimes(): Map<number, number>
  durableTimes(): Map<number, number>
  /** Forgets what was recorded. */
  reset(): void
  summary(): Record<Stretch, LatencySummary>
  /** Milliseconds by percentile, of a stretch: for a picture. */
  curve(stretch: Stretch): readonly { readonly percentile: number; readonly ms: number }[]
}

type Line = {
  readonly type: string
  readonly number: number
  readonly hash: Hash
  readonly timeMs: number
  readonly nodeTimeMs?: number
  readonly receivedTimeMs?: number
}

/** Unix milliseconds with their fraction: what all times here are compared in. */
export const nowMs = (): number => performance.timeOrigin + performance.now()

/** Measures one sidecar by its `/events`. It must not restart meanwhile. Resolves once it listens. */
export async function watchLatency(sidecar: Sidecar): Promise<LatencyWatch> {
  const histograms = Object.fromEntries(
    Object.keys(stretches).map((stretch) => [
      stretch,
      // Microseconds, to ten minutes, three digits.
      build({
        lowestDiscernibleValue: 1,
        highestTrackableValue: 600_000_000,
        numberOfSignificantValueDigits: 3,
      }),
    ]),
  ) as Record<Stretch, Histogram>
  const committed = new Map<Hash, number>()
  /** Applied and not yet durable, durable and not yet acknowledged; oldest first. */
  let applied: Line[] = []
  let durable: (Line & { readonly durableMs: number })[] = []
  const nodeTimes = new Map<number, number>()
  const durableTimes = new Map<number, number>()
  const waiting = new Map<Hash, () => void>()
  const seen = new Set<Hash>()
  const record = (stretch: Stretch, ms: number) =>
    histograms[stretch].recordValue(Math.max(1, Math.round(ms * 1000)))

  const take = (line: Line) => {
    if (line.type === 'applied') {
      const at = committed.get(line.hash)
      // Before the watch began.
      if (at === undefined || line.receivedTimeMs === undefined) return
      record('commitToReceived', line.receivedTimeMs - at)
      record('receivedToApplied', line.timeMs - line.receivedTimeMs)
      applied.push(line)
      if (line.nodeTimeMs !== undefined) nodeTimes.set(line.number, line.nodeTimeMs)
    } else if (line.type === 'undone') {
      applied = applied.filter(({ hash }) => hash !== line.hash)
      durable = durable.filter(({ hash }) => hash !== line.hash)
    } else if (line.type === 'durable') {
      for (const block of applied.filter(({ number }) => number <= line.number)) {
        record('appliedToDurable', line.timeMs - block.timeMs)
        durable.push({ ...block, durableMs: line.timeMs })
        durableTimes.set(block.number, line.timeMs)
      }
      applied = applied.filter(({ number }) => number > line.number)
    } else if (line.type === 'acknowledged') {
      for (const block of durable.filter(({ number }) => number <= line.number)) {
        record('durableToAcknowledged', line.timeMs - block.durableMs)
        record('commitToAcknowledged', line.timeMs - committed.get(block.hash)!)
        committed.delete(block.hash)
      }
      durable = durable.filter(({ number }) => number > line.number)
      seen.add(line.hash)
      waiting.get(line.hash)?.()
      waiting.delete(line.hash)
    }
  }
  const ending = new AbortController()
  const response = await fetch(`${sidecar.httpUrl}/events`, { signal: ending.signal })
  const reading = (async () => {
    let rest = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop()!
      for (const part of parts) if (part !== '') take(JSON.parse(part) as Line)
    }
  })().catch((error: unknown) => {
    if (!ending.signal.aborted) throw error
  })
  // Whoever waits is told when nothing comes any more; by itself it is no failure, as a sidecar may be stopped first.
  const over = reading.then(() => {
    throw new HarnessError(
      'SIDECAR_BEHIND',
      `expected ${sidecar.name} to go on telling its events, they ended`,
    )
  })
  over.catch(() => {})
  const ms = (microseconds: number) => Math.round(microseconds) / 1000
  return {
    committed: (hash, atMs) => void committed.set(hash, atMs),
    acknowledged: (hash) =>
      Promise.race([
        new Promise<void>((resolve) => {
          if (seen.has(hash)) resolve()
          else waiting.set(hash, resolve)
        }),
        over,
      ]),
    nodeTimes: () => nodeTimes,
    durableTimes: () => durableTimes,
    reset: () => {
      for (const histogram of Object.values(histograms)) histogram.reset()
    },
    summary: () =>
      Object.fromEntries(
        Object.entries(histograms).map(([stretch, histogram]) => [
          stretch,
          {
            count: histogram.totalCount,
            p50: ms(histogram.getValueAtPercentile(50)),
            p90: ms(histogram.getValueAtPercentile(90)),
            p99: ms(histogram.getValueAtPercentile(99)),
            max: ms(histogram.maxValue),
          },
        ]),
      ) as Record<Stretch, LatencySummary>,
    curve: (stretch) =>
      [0, 10, 25, 50, 75, 90, 95, 99, 99.9, 100].map((percentile) => ({
        percentile,
        ms: ms(histograms[stretch].getValueAtPercentile(percentile)),
      })),
    [Symbol.asyncDispose]: async () => {
      ending.abort()
      await over.catch(() => {})
    },
  }
}
