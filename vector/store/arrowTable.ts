import {
  Bool,
  type Data,
  type DataType,
  Float32,
  Float64,
  Int64,
  makeData,
  RecordBatch,
  type Schema,
  Struct,
  Table,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { dimensions } from '../embed/featureVector.ts'
import { vectorType } from './schema.ts'

/** One column of values of a batch; all columns of a batch have the same length. */
export type Column =
  | readonly string[]
  | readonly bigint[]
  | readonly number[]
  | readonly boolean[]
  | readonly Float32Array[]

/**
 * Builds an Arrow table column by column: faster than from objects, and exact, since no type is guessed
 * from values. Columns are taken by name in the schema's order; numbers become int64 or float64 as the schema says.
 */
export function arrowTable(schema: Schema, rows: number, columns: Readonly<Record<string, Column>>): Table {
  const children = schema.fields.map((field) => columnData(field.type, columns[field.name]!, rows))
  const struct = makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children })
  return new Table(schema, [new RecordBatch(schema, struct)])
}

function columnData(type: DataType, column: Column, rows: number): Data {
  if (type instanceof Utf8) return vectorFromArray(column as readonly string[], type).data[0]!
  if (type instanceof Bool) return vectorFromArray(column as readonly boolean[], type).data[0]!
  if (type instanceof Int64) {
    return makeData({
      type,
      length: rows,
      data: BigInt64Array.from(column as readonly (bigint | number)[], BigInt),
    })
  }
  if (type instanceof Float64)
    return makeData({ type, length: rows, data: Float64Array.from(column as readonly number[]) })
  const flat = new Float32Array(rows * dimensions)
  for (const [row, vector] of (column as readonly Float32Array[]).entries())
    flat.set(vector, row * dimensions)
  return makeData({
    type: vectorType,
    length: rows,
    child: makeData({ type: new Float32(), length: flat.length, data: flat }),
  })
}
