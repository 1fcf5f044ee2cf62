import { expect, test } from 'vitest'
import { createGate } from '../../../../vector/store/gate.ts'

test('six at once, the others in the order they came, a failure lets the next one in, and past a thousand nobody waits', async () => {
  const gate = createGate('folder')
  const done: number[] = []
  let running = 0
  let most = 0
  const opened = Promise.withResolvers<void>()
  const work = (number: number) => async () => {
    running += 1
    most = Math.max(most, running)
    await opened.promise
    running -= 1
    done.push(number)
    if (number % 7 === 0) throw new Error('failed')
    return number
  }
  const passed = Array.from({ length: 1_006 }, (_, number) => gate.pass(work(number)))
  await expect(gate.pass(work(-1))).rejects.toMatchObject({ name: 'VectorStoreError', code: 'BUSY' })
  await expect.poll(() => running).toBe(6)
  opened.resolve()
  const results = await Promise.allSettled(passed)
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(144)
  expect(done).toEqual(Array.from({ length: 1_006 }, (_, number) => number))
  expect(most).toBe(6)
  expect(await gate.pass(work(1))).toBe(1)
})

test('whoever asks again at once lets others begin', async () => {
  const gate = createGate('folder')
  let hasBegun = false
  setTimeout(() => {
    hasBegun = true
  }, 1)
  while (!hasBegun) await gate.pass(async () => undefined)
})
