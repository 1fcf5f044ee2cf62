import { expect, test } from 'vitest'
import {
  addressOf,
  blockEntry,
  blockOf,
  everything,
  openIn,
  temporaryDirectory,
  transactionOf,
} from '../support.ts'

/** More blocks than are looked through at once. */
const newest = 9_000

test('of many blocks the newest rows come, however long ago they were written', async () => {
  await using directory = await temporaryDirectory()
  await using store = await openIn(directory.path)
  const popular = addressOf('popular')
  const rare = addressOf('rare')
  const calls = (number: number, to: string) => ({
    ...blockEntry(number, 0),
    rows: [transactionOf(blockOf(number), 0, { to })],
  })
  await store.apply([
    calls(3, rare),
    calls(10, popular),
    calls(4_000, rare),
    ...[8_930, 8_940, 8_950, 8_960, newest].map((number) => calls(number, popular)),
  ])
  const blocksOf = async (query: string, limit: number) =>
    (await store.search({ ...everything, query: `transactions ${query}`, limit })).items
      .filter(({ facts }) => facts.match !== 'near')
      .map(({ facts }) => Number(facts.blockNumber))
  expect(await blocksOf(`to:${popular}`, 3)).toEqual([newest, 8_960, 8_950])
  expect(await blocksOf(`to:${popular}`, 6)).toEqual([newest, 8_960, 8_950, 8_940, 8_930, 10])
  expect(await blocksOf(`to:${rare}`, 2)).toEqual([4_000, 3])
})
