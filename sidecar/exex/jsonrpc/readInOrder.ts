type Outcome<T> = { readonly value: T } | { readonly error: unknown }

/**
 * Reads `from` to `to`, both included, at most `concurrency` at once, and yields the results in order. The first failure
 * is thrown in its place; results after it are dropped. Leaving the loop early starts nothing further.
 */
export async function* readInOrder<T>(
  from: bigint,
  to: bigint,
  concurrency: number,
  read: (number: bigint) => Promise<T>,
): AsyncGenerator<T, void, undefined> {
  const inFlight: Promise<Outcome<T>>[] = []
  let next = from
  while (next <= to || inFlight.length > 0) {
    while (next <= to && inFlight.length < concurrency) {
      // Kept as an outcome: a failure may come while an earlier read is still awaited, and belongs to its own turn.
      inFlight.push(
        read(next).then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        ),
      )
      next++
    }
    const outcome = await inFlight.shift()!
    if ('error' in outcome) throw outcome.error
    yield outcome.value
  }
}
