import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { MalformedAnswerError, NodeUnreachableError } from '../../../sidecar/exex/jsonrpc/errors.ts'
import { retry } from '../../../sidecar/exex/jsonrpc/retry.ts'
import { createWake } from '../../../sidecar/exex/jsonrpc/wake.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const unreachable = () => new NodeUnreachableError({ node: 'host:1', why: 'connection refused' })
const attempts = (outcomes: readonly (Error | string)[]) => {
  const startMs = performance.now()
  const atMs: number[] = []
  const run = async () => {
    const outcome = outcomes[atMs.push(performance.now() - startMs) - 1] ?? unreachable()
    if (outcome instanceof Error) throw outcome
    return outcome
  }
  return { run, atMs }
}
const limits = (fields: object = {}) => ({
  timeoutMs: 1_000,
  delayMs: (failures: number) => 100 * 2 ** (failures - 1),
  onFailure: vi.fn(),
  signal: new AbortController().signal,
  ...fields,
})

test('tries again with growing delays, telling of the first failure only', async () => {
  const { run, atMs } = attempts([unreachable(), unreachable(), unreachable(), 'up'])
  const given = limits()
  const result = retry(run, given)
  await vi.runAllTimersAsync()
  expect(await result).toBe('up')
  expect(atMs).toEqual([0, 100, 300, 700])
  expect(given.onFailure).toHaveBeenCalledTimes(1)
})

test('tries a last time when the time is up, then throws what came', async () => {
  const { run, atMs } = attempts([])
  const failed = expect(retry(run, limits())).rejects.toThrow('connection refused')
  await vi.runAllTimersAsync()
  await failed
  expect(atMs).toEqual([0, 100, 300, 700, 1_000])
})

test('throws at once what no second try can change', async () => {
  const wrong = new MalformedAnswerError({
    field: 'result',
    where: 'eth_chainId',
    expected: 'hex',
    actual: 1,
  })
  const { run, atMs } = attempts([wrong])
  await expect(retry(run, limits())).rejects.toBe(wrong)
  expect(atMs).toEqual([0])
})

test('ends with the signal, in the middle of a delay', async () => {
  const lifetime = new AbortController()
  const { run, atMs } = attempts([])
  const ended = expect(retry(run, limits({ signal: lifetime.signal }))).rejects.toMatchObject({
    name: 'SourceClosedError',
  })
  await vi.advanceTimersByTimeAsync(150)
  lifetime.abort()
  await ended
  expect(atMs).toEqual([0, 100])
})

test('a ring while nobody waits is kept for the next wait, once', async () => {
  const wake = createWake(new AbortController().signal)
  wake.ring()
  wake.ring()
  await wake.wait(1_000)
  const woken = vi.fn()
  const waiting = wake.wait(1_000).then(woken)
  await vi.advanceTimersByTimeAsync(999)
  expect(woken).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  await waiting
  expect(woken).toHaveBeenCalledTimes(1)
})

test('a ring or the end of the signal ends a wait', async () => {
  const lifetime = new AbortController()
  const wake = createWake(lifetime.signal)
  const first = wake.wait(1_000)
  wake.ring()
  await first
  const second = wake.wait(1_000)
  lifetime.abort()
  await second
  await wake.wait(1_000)
  expect(vi.getTimerCount()).toBe(0)
})
