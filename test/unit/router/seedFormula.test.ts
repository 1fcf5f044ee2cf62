import { expect, test } from 'vitest'
import { log2 } from '../../../sidecar/router/log2.ts'
import { seedFormula } from '../../../sidecar/router/seedFormula.ts'
import { createRandom } from './support/traffic.ts'

const random = createRandom(1)
const drawn = (length: number) => Uint8Array.from({ length }, () => random(256))

/** A System transfer as it goes over the wire, with random signature, keys and blockhash: 215 bytes. */
function drawTransfer(random: (below: number) => number): Buffer {
  const drawn = (length: number) => Uint8Array.from({ length }, () => random(256))
  return Buffer.concat([
    Buffer.from([1]), // one signature
    drawn(64),
    Buffer.from([1, 0, 1, 3]), // header, three keys: payer, receiver, System program
    drawn(64),
    new Uint8Array(32),
    drawn(32), // recent blockhash
    Buffer.from([1, 2, 2, 0, 1, 12]), // one instruction of program 2 with accounts 0 and 1, 12 bytes
    Buffer.from('020000000065cd1d00000000', 'hex'), // transfer half a SOL
  ])
}

test('gives one System transfer what an independent computation gives it', () => {
  const transfer = drawTransfer(createRandom(1))
  expect(transfer.length).toBe(215)
  const seed = seedFormula(transfer, 0, 0.5)
  expect(seed.safety, 'eight zero bytes are malicious to it').toBeCloseTo(0.4, 12)
  expect(seed.anomaly).toBe(1)
  expect(seed.gas).toBe(21_000 + 215 * 16 + 10_000)
  // By a few lines of Python with math.log2, written from the formula.
  expect(seed.complexity).toBeCloseTo(0.7458881452795606, 13)
  expect(seed.score).toBeCloseTo(0.48570454196323104, 13)
})

test('gives System transfers 0.487 on average: the EVM, whatever they are', () => {
  const scores = Array.from(
    { length: 400 },
    (_, seed) => seedFormula(drawTransfer(createRandom(seed)), 0, 0.5).score,
  )
  expect((scores.reduce((sum, score) => sum + score) / scores.length).toFixed(3)).toBe('0.487')
  expect(Math.max(...scores)).toBeLessThan(0.49)
})

test('passes 0.7 for random bytes only from about 650 bytes', () => {
  expect(seedFormula(drawn(400), 0, 0.5).score).toBeLessThan(0.7)
  expect(seedFormula(drawn(800), 0, 0.5).score).toBeGreaterThan(0.7)
})

test('computes each part of empty, short, long and uniform data as the original does', () => {
  expect(seedFormula(new Uint8Array(0), 0, 0.5)).toMatchObject({
    complexity: 0.1 * 0.4,
    anomaly: 0.2,
    gas: 22_000,
  })
  expect(seedFormula(new Uint8Array(0), 0, 0.5).safety).toBeCloseTo(0.6, 12)
  expect(seedFormula(Uint8Array.of(1, 2, 3), 0, 0.5).complexity).toBeCloseTo(
    0.4 * (Math.log2(3) / 8) + 0.04 + 0.2 * (3 / 1024),
    12,
  )
  const uniform = seedFormula(new Uint8Array(1024), 0, 0.5)
  expect(uniform.complexity).toBeCloseTo(0.4 * (1 / 256) + 0.2, 12)
  expect(seedFormula(drawn(60_000), 0, 0.5).safety).toBeLessThanOrEqual(0.7)
  expect(seedFormula(drawn(100), 1, 0).score).toBeCloseTo(seedFormula(drawn(100), 0, 0).score - 0.1, 1)
})

test('its logarithm agrees with that of the engine', () => {
  for (const n of [1, 2, 3, 5, 7, 10, 215, 1000, 65_535, 65_536, 4_294_967_295]) {
    expect(Math.abs(log2(n) - Math.log2(n)), `log2(${n})`).toBeLessThan(1e-14)
  }
})
