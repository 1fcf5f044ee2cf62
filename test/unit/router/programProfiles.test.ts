import { expect, test } from 'vitest'
import { log2 } from '../../../sidecar/router/log2.ts'
import { ProgramProfiles, type ProgramSizes } from '../../../sidecar/router/programProfiles.ts'
import { createRandom } from './support/traffic.ts'

const usual: ProgramSizes = { gas: 70, payload: 40, value: 0 }

function open(outcomes: number, of: (i: number) => { sizes?: ProgramSizes; units?: number }) {
  const profiles = new ProgramProfiles(2, 8)
  for (let i = 0; i < outcomes; i++) {
    const { sizes = usual, units } = of(i)
    profiles.learn(3, 4, i + 1, sizes, units === undefined ? undefined : log2(units))
  }
  return { profiles, at: profiles.find(3, 4) }
}

test('says nothing of what it does not know, or hardly knows', () => {
  for (const { profiles, at } of [open(0, () => ({})), open(2, () => ({}))]) {
    expect(profiles.oddity(at, { gas: 200, payload: 200, value: 200 })).toBe(0)
    expect(profiles.headroom(at, 20)).toBeUndefined()
    expect(profiles.upperUnits(at)).toBeUndefined()
  }
})

test('what is like the others is not odd, what is unlike them in one size is', () => {
  const random = createRandom(3)
  const { profiles, at } = open(300, () => ({
    sizes: { gas: 66 + random(9), payload: 38 + random(5), value: 0 },
  }))
  expect(profiles.oddity(at, usual)).toBeLessThan(2)
  expect(profiles.oddity(at, { ...usual, gas: 120 })).toBeGreaterThan(5)
  expect(profiles.oddity(at, { ...usual, payload: 80 })).toBeGreaterThan(5)
  expect(profiles.oddity(at, { ...usual, value: 60 })).toBeGreaterThan(5)
})

test('one outlier moves what is usual no further than any other does', () => {
  const odd = { gas: 255, payload: 255, value: 255 }
  const [with1, with2] = [odd, { ...usual, gas: 71, payload: 41, value: 1 }].map((last) =>
    open(100, (i) => (i === 99 ? { sizes: last } : {})),
  )
  const oddities = [with1, with2].map(({ profiles, at } = with1!) =>
    profiles.oddity(at, { ...usual, gas: 90 }),
  )
  expect(oddities[0]).toBeGreaterThan(5)
  expect(oddities[0]! / oddities[1]!).toBeGreaterThan(0.7)
})

test('usual sizes may change for good', () => {
  const moved = { gas: 110, payload: 90, value: 20 }
  const { profiles, at } = open(600, (i) => ({ sizes: i < 300 ? usual : moved }))
  expect(profiles.oddity(at, moved)).toBeLessThan(4)
})

test('room is counted in deviations of what successful runs use', () => {
  const { profiles, at } = open(50, (i) => ({ units: i % 2 === 0 ? 1024 : 4096 }))
  // log2: mean 11, deviation 1.
  expect(profiles.headroom(at, 14)!).toBeCloseTo(3, 0)
  expect(profiles.headroom(at, 9)!).toBeCloseTo(-2, 0)
})

test('nine of ten runs stay below the upper units', () => {
  const random = createRandom(11)
  const draw = () => {
    // Log-normal by the sum of twelve.
    let sum = -6
    for (let i = 0; i < 12; i++) sum += random(1_000_000) / 1_000_000
    return Math.round(5000 * 2 ** (sum / 2))
  }
  const { profiles, at } = open(500, () => ({ units: draw() }))
  const upper = profiles.upperUnits(at)!
  let below = 0
  for (let i = 0; i < 2000; i++) if (draw() <= upper) below++
  expect(below / 2000).toBeGreaterThan(0.85)
  expect(below / 2000).toBeLessThan(0.95)
})
