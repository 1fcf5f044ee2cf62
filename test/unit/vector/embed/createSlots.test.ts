import { describe, expect, test } from 'vitest'
import { createSlots } from '../../../../vector/embed/createSlots.ts'

function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const state = { isBegun: false, resolve, reject }
  return Object.assign(state, {
    run: () => {
      state.isBegun = true
      return promise
    },
  })
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('slots', () => {
  test('run so many at once, the others in the order they came', async () => {
    const slots = createSlots(2)
    const all = [work(), work(), work(), work()]
    const results = all.map((each) => slots.run(each.run))
    await turn()
    expect(all.map((each) => each.isBegun)).toEqual([true, true, false, false])
    all[1]!.resolve('second')
    await turn()
    expect(all.map((each) => each.isBegun)).toEqual([true, true, true, false])
    for (const each of all) each.resolve('done')
    expect(await Promise.all(results)).toEqual(['done', 'second', 'done', 'done'])
  })

  test('a failure gives its slot back', async () => {
    const slots = createSlots(1)
    await expect(slots.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await slots.run(() => Promise.resolve('yes'))).toBe('yes')
  })

  test('who gives up while waiting is gone, and takes nobody’s turn', async () => {
    const slots = createSlots(1)
    const [first, never, last] = [work(), work(), work()]
    const giveUp = new AbortController()
    const running = slots.run(first.run)
    const waiting = slots.run(never.run, giveUp.signal)
    const next = slots.run(last.run)
    giveUp.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    first.resolve('first')
    last.resolve('last')
    expect(await Promise.all([running, next])).toEqual(['first', 'last'])
    expect(never.isBegun).toBe(false)
    await expect(slots.run(never.run, giveUp.signal)).rejects.toThrow('enough')
  })
})
