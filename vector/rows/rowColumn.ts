import { Bool, type Field, Float64, Int64 } from 'apache-arrow'

/** A column of SQLite, and what of. */
export type RowColumn = { readonly name: string; readonly kind: 'text' | 'integer' | 'boolean' | 'decimal' }

/** The column that holds what a column of LanceDB does. */
export function rowColumn({ name, type }: Field): RowColumn {
  if (type instanceof Int64) return { name, kind: 'integer' }
  if (type instanceof Bool) return { name, kind: 'boolean' }
  return { name, kind: type instanceof Float64 ? 'decimal' : 'text' }
}
