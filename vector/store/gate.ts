import { setImmediate as turn } from 'node:timers/promises'
import { VectorStoreError } from '../errors.ts'

/** Questions answered at once: each keeps LanceDB's threads busy, and more would only make all of them slow. */
const atOnce = 6
/** Questions that wait for their turn at most. */
const mostWaiting = 1_000

export type Gate = {
  /** Runs work in its turn. Throws `VectorStoreError` `BUSY` when too many wait already. */
  pass<T>(work: () => Promise<T>): Promise<T>
}

/**
 * Lets a few through at a time, the others in the order they came. What waits besides has a turn between any two: many an answer is made
 * without waiting for anything, and whoever asks again at once would let nobody else begin.
 */
export function createGate(directory: string): Gate {
  let running = 0
  const waiting: (() => void)[] = []
  return {
    async pass(work) {
      if (running >= atOnce) {
        if (waiting.length >= mostWaiting) {
          throw new VectorStoreError(
            'BUSY',
            `vector store: ${waiting.length} questions to ${directory} wait already: ask again in a moment`,
            { facts: { directory, waiting: waiting.length } },
          )
        }
        await new Promise<void>((resolve) => waiting.push(resolve))
      } else running += 1
      try {
        await turn()
        return await work()
      } finally {
        const next = waiting.shift()
        // The place is handed over, so that nobody slips in between.
        if (next) next()
        else running -= 1
      }
    },
  }
}
