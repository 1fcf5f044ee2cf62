import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRouter } from '../../../sidecar/router/createRouter.ts'
import type { RouterOptions } from '../../../sidecar/router/types.ts'
import { dependencies, smallOptions } from './support/options.ts'
import { apply, hex, Tables } from './support/tables.ts'
import { createTraffic, type Traffic } from './support/traffic.ts'

type Step =
  | { readonly do: 'apply'; readonly seed: number }
  | { readonly do: 'undo'; readonly depth: number }
  | { readonly do: 'restart' }
  | { readonly do: 'abandon'; readonly seed: number }

const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('apply' as const), seed: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('undo' as const), depth: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abandon' as const), seed: fc.nat() }) },
)

/** Lives through the steps; returns what is durable and the canonical traffic. */
async function live(options: RouterOptions, start: number, steps: readonly Step[]) {
  const tables = new Tables()
  const open = () => createRouter(options, dependencies(tables.source), tables.state)
  const chain: { fork: number; traffic: Traffic }[] = []
  let router = open()
  let forks = 0
  const next = (seed: number) => {
    const parentFork = chain.at(-1)?.fork ?? 0
    const fork = ++forks
    const number = start + chain.length
    // Forks differ in a seed and in a hash; the spread makes patterns come and go.
    return { fork, traffic: createTraffic(seed, { number, fork, parentFork }, 6 + (number >> 4) * 8) }
  }
  for (const step of steps) {
    if (step.do === 'apply') {
      const block = next(step.seed)
      await apply(router, tables, block.traffic.block, block.traffic.envelopes, block.traffic.run)
      chain.push(block)
    } else if (step.do === 'restart') router = open()
    else if (step.do === 'abandon') {
      const { traffic } = next(step.seed)
      await router.prepare(traffic.block)
      router.decide(traffic.block, traffic.envelopes)
    } else {
      const depth = Math.min(step.depth, chain.length)
      const parent = chain[chain.length - depth]?.traffic.block.parent
      if (parent === undefined) continue
      const undone = tables.undo(depth)
      chain.splice(chain.length - depth)
      router.undo(undone, parent)
    }
  }
  return { tables, router, traffic: chain.map(({ traffic }) => traffic), open }
}

/** A fresh instance over the canonical chain alone. */
async function follow(options: RouterOptions, traffic: readonly Traffic[]) {
  const tables = new Tables()
  const router = createRouter(options, dependencies(tables.source), tables.state)
  for (const { block, envelopes, run } of traffic) await apply(router, tables, block, envelopes, run)
  return { tables, router }
}

for (const scorer of ['enhanced', 'pattern', 'seed'] as const) {
  test(`any sequence of blocks, undos, restarts and abandoned blocks leaves what the canonical chain alone leaves (${scorer})`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0, 1, 2, 5, 11),
        fc.array(step, { minLength: 1, maxLength: 90, size: 'max' }),
        async (start, steps) => {
          const options: RouterOptions = { ...smallOptions, scorer }
          const lived = await live(options, start, steps)
          const canonical = await follow(options, lived.traffic)
          expect(lived.tables.dump(), 'durable tables').toEqual(canonical.tables.dump())
          expect([...lived.tables.vectors].sort(), 'rows of the vector store').toEqual(
            [...canonical.tables.vectors].sort(),
          )
          expect(
            lived.tables.blocks.map(({ blob }) => hex(blob)),
            'decisions of the canonical blocks',
          ).toEqual(canonical.tables.blocks.map(({ blob }) => hex(blob)))

          // And they stay alike: the one that lived, one loaded from its tables, the one that only followed.
          const last = lived.traffic.at(-1)?.block.ref
          for (let i = 0; i < 10; i++) {
            const number = last === undefined ? start + i : Number(last.number) + 1 + i
            const parentFork = i > 0 ? 0 : last === undefined ? 0 : Number(BigInt(last.hash) >> 128n)
            const { block, envelopes, run } = createTraffic(i, { number, fork: 0, parentFork })
            const loaded = lived.open()
            await loaded.prepare(block)
            const fromTables = hex(loaded.decide(block, envelopes).blob)
            await apply(lived.router, lived.tables, block, envelopes, run)
            await apply(canonical.router, canonical.tables, block, envelopes, run)
            expect(hex(lived.tables.blocks.at(-1)!.blob), `block ${i} after, against loaded`).toBe(fromTables)
            expect(lived.tables.dump(), `tables ${i} after`).toEqual(canonical.tables.dump())
          }
        },
      ),
      { numRuns: 60 },
    )
  }, 120_000)
}
