import { connect, type Table } from '@lancedb/lancedb'
import { expect, test } from 'vitest'
import { createDocumentVectors } from '../../../../vector/held/documentVectors.ts'
import { temporaryDirectory } from '../support.ts'

async function tableOf(path: string, name: string, rows: Record<string, number[]>): Promise<Table> {
  const connection = await connect(path)
  return connection.createTable(
    name,
    Object.entries(rows).map(([id, embedding]) => ({ id, embedding: Float32Array.from(embedding) })),
  )
}

test('vectors of length 1, read again when documents or their table change', async () => {
  await using directory = await temporaryDirectory()
  const one = await tableOf(directory.path, 'one', { a: [3, 4], b: [0, 0], c: [0, 2] })
  const other = await tableOf(directory.path, 'other', { a: [1, 0] })
  const texts = { version: 1, documentsVersion: () => texts.version, count: () => 3 }
  const vectors = createDocumentVectors(texts)
  const read = async (table: Table) =>
    Object.fromEntries([...(await vectors.of(table))!].map(([id, vector]) => [id, [...vector]]))
  const before = await read(one)
  expect(before.a![0]).toBeCloseTo(0.6, 6)
  expect(before.a![1]).toBeCloseTo(0.8, 6)
  expect([before.b, before.c]).toEqual([
    [0, 0],
    [0, 1],
  ])
  await one.add([{ id: 'd', embedding: Float32Array.from([1, 0]) }])
  expect(await read(one)).toEqual(before)
  texts.version += 1
  expect(Object.keys(await read(one)).sort()).toEqual(['a', 'b', 'c', 'd'])
  expect(await read(other)).toEqual({ a: [1, 0] })
})

test('of more than are kept nothing is said, and a failure is not kept', async () => {
  await using directory = await temporaryDirectory()
  const table = await tableOf(directory.path, 'one', { a: [1, 0] })
  const texts = { documentsVersion: () => 1, count: () => 3 }
  expect(await createDocumentVectors(texts, 2).of(table)).toBeUndefined()
  const vectors = createDocumentVectors(texts, 3)
  const query = table.query
  table.query = () => {
    throw new Error('no such file')
  }
  await expect(vectors.of(table)).rejects.toThrow('no such file')
  table.query = query
  expect((await vectors.of(table))?.size).toBe(1)
})
