/** Runs so many pieces of work at once; the others wait, first come first served. */
export type Slots = {
  /** Rejects with the signal's reason when that fires before its turn; once begun, the work itself must listen. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>
}

export function createSlots(count: number): Slots {
  const waiting = new Set<() => void>()
  let taken = 0

  return {
    async run(work, signal) {
      signal?.throwIfAborted()
      if (taken >= count) await turn(signal)
      else taken += 1
      try {
        return await work()
      } finally {
        const [next] = waiting
        // Handed over, not given back: a newcomer in between would go first.
        if (next) next()
        else taken -= 1
      }
    },
  }

  function turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        waiting.delete(begin)
        signal?.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = () => {
        waiting.delete(begin)
        reject(signal!.reason)
      }
      waiting.add(begin)
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  }
}
