/** Rows with a known outcome, in chain order, and what each predictor said before: what every metric is made of. */
export type Scored = {
  /** Number of the row's block among those with known outcomes, from 0. */
  readonly block: Int32Array
  readonly blocks: number
  readonly succeeded: Uint8Array
  readonly units: Float64Array
  /** 1 where no earlier block had the row's pattern. */
  readonly firstSeen: Uint8Array
  /** Kind of traffic, by row. */
  readonly groups: readonly (string | undefined)[]
  /** Probability of success, by predictor. */
  readonly predictions: ReadonlyMap<string, Float64Array>
  /** 1 where the policy let the transaction run, by policy. */
  readonly choices: ReadonlyMap<string, Uint8Array>
  /** Parts of the router's score that are judged on their own, by name; NaN where a row has none. */
  readonly heads: ReadonlyMap<string, Float64Array>
}

/** Collects rows; columns appear with their first value, and every row must fill the same ones. */
export function createScored() {
  const block: number[] = []
  const succeeded: number[] = []
  const units: number[] = []
  const firstSeen: number[] = []
  const groups: (string | undefined)[] = []
  const columns = {
    predictions: new Map<string, number[]>(),
    choices: new Map<string, number[]>(),
    heads: new Map<string, number[]>(),
  }
  const put = (column: keyof typeof columns, name: string, value: number): void => {
    const values = columns[column].get(name)
    if (values === undefined) columns[column].set(name, [value])
    else values.push(value)
  }
  return {
    rows: () => block.length,
    add(row: {
      readonly block: number
      readonly succeeded: boolean
      readonly units: number
      readonly isFirstSeen: boolean
      readonly group: string | undefined
    }): void {
      block.push(row.block)
      succeeded.push(Number(row.succeeded))
      units.push(row.units)
      firstSeen.push(Number(row.isFirstSeen))
      groups.push(row.group)
    },
    predict: (name: string, p: number) => put('predictions', name, p),
    choose: (name: string, ran: boolean) => put('choices', name, Number(ran)),
    head: (name: string, value: number) => put('heads', name, value),
    done(): Scored {
      return {
        block: Int32Array.from(block),
        blocks: (block.at(-1) ?? -1) + 1,
        succeeded: Uint8Array.from(succeeded),
        units: Float64Array.from(units),
        firstSeen: Uint8Array.from(firstSeen),
        groups,
        predictions: mapValues(columns.predictions, (values) => Float64Array.from(values)),
        choices: mapValues(columns.choices, (values) => Uint8Array.from(values)),
        heads: mapValues(columns.heads, (values) => Float64Array.from(values)),
      }
    },
  }
}

/** The rows for which `keep` holds. Blocks are numbered anew: only those that keep a row are left. */
export function sliceOf(scored: Scored, keep: (row: number) => boolean): Scored {
  const rows = Array.from(scored.block, (_, row) => row).filter(keep)
  const numbers = new Map<number, number>()
  for (const row of rows) {
    const from = scored.block[row]!
    if (!numbers.has(from)) numbers.set(from, numbers.size)
  }
  const floats = (values: Float64Array) => Float64Array.from(rows, (row) => values[row]!)
  const bytes = (values: Uint8Array) => Uint8Array.from(rows, (row) => values[row]!)
  return {
    block: Int32Array.from(rows, (row) => numbers.get(scored.block[row]!)!),
    blocks: numbers.size,
    succeeded: bytes(scored.succeeded),
    units: floats(scored.units),
    firstSeen: bytes(scored.firstSeen),
    groups: rows.map((row) => scored.groups[row]),
    predictions: mapValues(scored.predictions, floats),
    choices: mapValues(scored.choices, bytes),
    heads: mapValues(scored.heads, floats),
  }
}

function mapValues<A, B>(map: ReadonlyMap<string, A>, of: (value: A) => B): Map<string, B> {
  return new Map([...map].map(([name, value]) => [name, of(value)]))
}
