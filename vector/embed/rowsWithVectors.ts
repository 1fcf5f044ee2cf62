import {
  type Data,
  type DataType,
  Float32,
  makeData,
  RecordBatch,
  type Schema,
  Struct,
  Table,
  vectorFromArray,
} from 'apache-arrow'

/** A row's values by column, as LanceDB returns them. */
export type PlainRow = Readonly<Record<string, unknown>>

/**
 * The batch that LanceDB is given for rows, whatever their columns, and one vector for each of them. Types are the schema's, none is
 * guessed from values.
 */
export function rowsWithVectors(
  rows: readonly PlainRow[],
  schema: Schema,
  vectorColumn: string,
  vectors: readonly Float32Array[],
): Table {
  const children = schema.fields.map(({ name, type }) =>
    name === vectorColumn
      ? vectorData(type, vectors)
      : vectorFromArray(
          rows.map((row) => row[name]),
          type,
        ).data[0]!,
  )
  const struct = makeData({ type: new Struct(schema.fields), length: rows.length, nullCount: 0, children })
  return new Table(schema, [new RecordBatch(schema, struct)])
}

function vectorData(type: DataType, vectors: readonly Float32Array[]): Data {
  const dimensions = vectors[0]?.length ?? 0
  const flat = new Float32Array(vectors.length * dimensions)
  for (const [row, vector] of vectors.entries()) flat.set(vector, row * dimensions)
  const child = makeData({ type: new Float32(), length: flat.length, data: flat })
  return makeData({ type, length: vectors.length, child } as Parameters<typeof makeData>[0])
}
