/**
 * Asks a sidecar questions at a steady rate, in a thread of its own: making blocks must not count as waiting for answers. Started by
 * `measureSoak`; posts an `Answered` for each.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { createRandom } from '#harness'

export type QuestionerOptions = {
  readonly httpUrl: string
  readonly seconds: number
  readonly perSecond: number
}

export type Answered = {
  /** Since the first, when it was asked. */
  readonly seconds: number
  readonly question: string
  readonly ms: number
  readonly isOk: boolean
}

const { httpUrl, seconds, perSecond } = workerData as QuestionerOptions
const random = createRandom('soak', 'questions')
const start = performance.now()
for (let index = 0; performance.now() < start + seconds * 1000; index += 1) {
  const due = start + (index * 1000) / perSecond
  if (due > performance.now()) await delay(due - performance.now())
  const question = questionOf(random.below(6), index)
  const began = performance.now()
  const isOk = await ask(question)
  const answered = { seconds: (began - start) / 1000, question, ms: performance.now() - began, isOk }
  parentPort!.postMessage(answered satisfies Answered)
}

async function ask(question: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(30_000)
    const response = await fetch(`${httpUrl}/context?query=${encodeURIComponent(question)}`, { signal })
    await response.json()
    return response.ok
  } catch {
    return false
  }
}

/** What a person asks while it runs; some of it again and again, most of it of what just came. */
function questionOf(kind: number, index: number): string {
  const address = `0x${(index % 64).toString(16).padStart(40, '0')}`
  return (
    [
      'failed transfers',
      `transfers to:0x000000000000000000000000000000000053564d`,
      'deposits',
      'rejected envelopes',
      `from:${address}`,
      `patterns failing swaps`,
    ] as const
  )[kind]!
}
