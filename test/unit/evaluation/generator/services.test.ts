import { expect, test } from 'vitest'
import { createServices } from '../../../../sidecar/evaluation/generator/services.ts'

const blocks = 240
const services = createServices('x', blocks)
const ofKind = (kind: string) => services.filter((service) => service.kind === kind)

test('every program has a key of its own', () => {
  const keys = new Set(services.map(({ program }) => Buffer.from(program).toString('hex')))
  expect(keys.size).toBe(services.length)
})

test('drainers are good until half way, and bad from there on', () => {
  for (const { quality } of ofKind('drainer')) {
    expect(quality(blocks / 2 - 1)).toBeGreaterThan(0.9)
    expect(quality(blocks / 2)).toBeLessThan(0.2)
  }
})

test('copycats call the methods of the best service under another program, and fail', () => {
  const best = services[0]!
  for (const { methods, program, quality, from, until } of ofKind('copycat')) {
    expect(methods).toBe(best.methods)
    expect(Buffer.compare(program, best.program)).not.toBe(0)
    expect(quality(from)).toBeLessThan(0.5)
    expect(until - from).toBeLessThan(blocks / 4)
  }
  const names = best.methods.map(({ name }) => name)
  for (const { methods } of ofKind('newcomer')) {
    expect(methods.some(({ name }) => names.includes(name))).toBe(false)
  }
})

test('something new comes up all along', () => {
  const froms = services.filter(({ from }) => from > 0).map(({ from }) => from)
  expect(Math.min(...froms)).toBeLessThan(blocks / 4)
  expect(Math.max(...froms)).toBeGreaterThan((3 * blocks) / 4)
})
