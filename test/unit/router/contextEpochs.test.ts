import { expect, test } from 'vitest'
import { createRouter } from '../../../sidecar/router/createRouter.ts'
import { readDecisions } from '../../../sidecar/router/readDecisions.ts'
import type { RouterOptions } from '../../../sidecar/router/types.ts'
import { createBlock } from './support/blocks.ts'
import { dependencies, smallOptions } from './support/options.ts'
import { apply, Tables } from './support/tables.ts'

const transactions = [
  { to: 7, input: 'a9059cbb' },
  { to: 8, input: 'a9059cbb' },
]
const block = (number: number) => createBlock({ number, transactions })

async function run(
  options: RouterOptions,
  tables: Tables,
  to: number,
  source = tables.source,
  signal?: AbortSignal,
) {
  const router = createRouter(options, dependencies(source, signal), tables.state)
  for (let number = tables.blocks.length + 1; number <= to; number++)
    await apply(router, tables, block(number))
  return router
}

function decisions(tables: Tables, number: number) {
  const { blob, ref } = tables.blocks[number - 1]!
  return readDecisions(blob, ref, block(number).transactions.hashes)
}

test('decides with rows as of the boundary at least a lag behind, asked for once an epoch', async () => {
  const tables = new Tables()
  await run({ ...smallOptions, learn: { ...smallOptions.learn, halfLife: 100 } }, tables, 16)
  const boundaries = tables.blocks.map((_, i) => decisions(tables, i + 1)[0]!.contextBoundary)
  // lag 3, epoch 4: block 7 is the first with boundary 4.
  expect(boundaries).toEqual([
    ...Array(6).fill(undefined),
    ...Array(4).fill(4n),
    ...Array(4).fill(8n),
    12n,
    12n,
  ])
  expect(tables.asked).toBe(3)
  const [first] = decisions(tables, 8)
  expect(first!.context, 'its own row, then that of the same selector').toEqual([
    `${'7'.padStart(40, '0')}a9059cbb00`,
    `${'8'.padStart(40, '0')}a9059cbb00`,
  ])
})

test('asks nothing again after a restart in an epoch', async () => {
  const tables = new Tables()
  await run(smallOptions, tables, 9)
  const { asked } = tables
  await run(smallOptions, tables, 10, { patternsAt: async () => expect.unreachable('asked again') })
  expect(tables.asked).toBe(asked)
})

test('asks for nothing before the block it started with', async () => {
  const tables = new Tables()
  const router = createRouter(smallOptions, dependencies(tables.source), tables.state)
  for (let number = 102; number < 107; number++) await apply(router, tables, block(number))
  expect(tables.asked, 'boundaries 96 and 100 were never applied here').toBe(0)
  await apply(router, tables, block(107))
  expect(tables.asked).toBe(1)
})

test('keeps snapshots for as long as an undo can need them, two epochs more, and no longer', async () => {
  const tables = new Tables()
  await run(smallOptions, tables, 60)
  const kept = [...tables.rows.get('context')!.keys()].map((key) => Number(`0x${key}`)).sort((a, b) => a - b)
  expect(kept[0], 'block 59 loaded 56; 53 can be undone to; it used 48').toBe(40)
  expect(kept.at(-1)).toBe(56)
})

test('waits for a store that is down until it answers', async () => {
  const tables = new Tables()
  let failures = 3
  const source = {
    patternsAt: async (boundary: bigint) => {
      if (failures-- > 0) throw new Error('down')
      return tables.source.patternsAt(boundary)
    },
  }
  await run(smallOptions, tables, 7, source)
  expect(failures).toBe(-1)
  expect(decisions(tables, 7)[0]!.contextBoundary).toBe(4n)
})

test('goes on without context where told to, says so, and stays with it for the epoch', async () => {
  const tables = new Tables()
  const options = { ...smallOptions, context: { ...smallOptions.context, onUnavailable: 'none' as const } }
  let asked = 0
  const source = {
    patternsAt: async () => {
      asked++
      throw new Error('down')
    },
  }
  await run(options, tables, 10, source)
  expect(asked).toBe(1)
  const [decision] = decisions(tables, 8)
  expect(decision!.context).toEqual([])
  expect(decision!.reason).toContain('context unavailable')
})

test('stops waiting when the signal aborts, even where the store never answers', async () => {
  const tables = new Tables()
  await run(smallOptions, tables, 6)
  const abort = new AbortController()
  const source = { patternsAt: () => new Promise<never>(() => {}) }
  const router = createRouter(smallOptions, dependencies(source, abort.signal), tables.state)
  const waiting = router.prepare(block(7))
  abort.abort(new Error('closing'))
  await expect(waiting).rejects.toThrow('closing')
})

test('rows that are wrong are not waited for', async () => {
  const tables = new Tables()
  await run(smallOptions, tables, 6)
  const wrong = { ...[...tables.vectors.values()][0]!, boundary: 8n }
  const router = createRouter(smallOptions, dependencies({ patternsAt: async () => [wrong] }), tables.state)
  await expect(router.prepare(block(7))).rejects.toMatchObject({ code: 'context row invalid' })
})
