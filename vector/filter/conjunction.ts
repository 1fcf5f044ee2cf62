/** Conditions in SQL that all hold, as one. */
export function conjunction(conditions: readonly string[]): string {
  return conditions.map((condition) => `(${condition})`).join(' AND ')
}
