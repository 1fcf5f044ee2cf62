import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '@lancedb/lancedb'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type VectorEntry, type VectorStore, VectorStoreError } from '#vector'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'
import { entriesOf, type Move, moves } from '../../unit/vector/graph/chainMoves.ts'
import { addressOf, everything, indexRows, openIn } from '../../unit/vector/support.ts'
import { openApart } from './openApart.ts'

const options = { epochBlocks: 3, consolidationRows: 4, optimizeEvery: 4, keepVersionsMs: 0 }
const finding = { name: 'storm', text: 'Many calls fail.', subjects: [addressOf('token 1')], risk: 50 }

/** Every block with a finding. */
function withFindings(steps: readonly (readonly VectorEntry[])[]): readonly (readonly VectorEntry[])[] {
  return steps.map((entries) =>
    entries.flatMap((entry): readonly VectorEntry[] =>
      entry.kind === 'transactions'
        ? [entry, { kind: 'findings', block: entry.block, rows: [finding] }]
        : [entry],
    ),
  )
}

/** Every row of the tables that follow the chain, but what vectors and order are. */
async function rowsOf(directory: string) {
  const connection = await connect(directory)
  const table = await connection.openTable('transactions')
  const found = (await table.query().toArray()) as Record<string, unknown>[]
  const rows = found
    .map(({ embedding: _, ...row }) =>
      JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)),
    )
    .sort()
  table.close()
  connection.close()
  return { rows, index: indexRows(directory) }
}

async function answersOf(store: VectorStore) {
  const found = await store.search({ ...everything, query: '' })
  const ids = [addressOf('account 1'), addressOf('token 0'), addressOf('token 1')]
  const around = await Promise.all(ids.map((id) => store.neighbours({ id, hops: 2, fanout: 32 })))
  const { asOf } = await store.stats()
  return { found, around, asOf }
}

/** Blocks that fill up the last epoch, so that beside the writes or within them it is complete. */
function filled(moves: readonly Move[]): readonly Move[] {
  const last = entriesOf(moves).canonical.length
  const rows = [{ from: 0, to: 1, shape: 'call' as const, value: 0, failed: false }]
  const missing = 3 - ((last + 1) % 3)
  return [...moves, ...Array.from({ length: missing }, () => ({ type: 'block' as const, rows }))]
}

test('property: its process killed at any instants, its caller repeating what failed, a store ends as one that was left in peace', async () => {
  const kills = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 4, maxLength: 8 })
  let killed = 0
  await fc.assert(
    fc.asyncProperty(moves, kills, fc.integer({ min: 1, max: 4 }), async (drawn, pausesMs, perCall) => {
      const { steps, canonical } = entriesOf(filled(drawn))
      const told = withFindings(steps)
      await using expectedFolder = await temporaryFolder()
      const sound = await openIn(expectedFolder.path, { ...options, asyncConsolidation: false })
      await sound.apply(withFindings([canonical]).flat())
      const expected = await answersOf(sound)
      await sound.close()

      await using folder = await temporaryFolder()
      const { store, pid } = await openApart(folder.path, options)
      let isOver = false
      const killing = (async () => {
        for (const pauseMs of pausesMs) {
          await delay(pauseMs)
          if (isOver) return
          try {
            process.kill(pid(), 'SIGKILL')
            killed += 1
          } catch {
            // Dead already, and not yet followed by another.
          }
        }
      })()
      for (let at = 0; at < told.length; at += perCall) {
        const entries = told.slice(at, at + perCall).flat()
        // As the outbox does: what was not told as written is written again.
        for (;;) {
          try {
            await store.apply(entries)
            break
          } catch (error) {
            expect(error).toBeInstanceOf(VectorStoreError)
            expect(error).toMatchObject({ code: 'STORE_FAILED' })
          }
        }
      }
      isOver = true
      await killing
      const tip = BigInt(canonical.length)
      expect((await store.stats()).asOf?.number).toBe(tip)
      while ((await store.stats()).consolidatedTo !== tip) await delay(10)
      expect(await answersOf(store)).toEqual(expected)
      await store.close()
      expect(await rowsOf(folder.path)).toEqual(await rowsOf(expectedFolder.path))
    }),
    // A run takes seconds: of a failure the seed is worth more than the smallest case.
    { numRuns: 4, endOnFailure: true },
  )
  expect(killed).toBeGreaterThan(0)
}, 300_000)
