/** Times a question is answered anew before the last answer is given as it is: a chain that is undone all the time is told of still. */
const mostTries = 4

export type BranchWatch = {
  /** Runs work that takes blocks back. */
  leave<T>(work: () => Promise<T>): Promise<T>
  /** Runs work that only reads, again when blocks were taken back meanwhile: rows of two branches must not meet in one answer. */
  within<T>(work: () => Promise<T>): Promise<T>
}

/** Keeps answers to one branch of the chain, of which they read in several steps, beside the writer. */
export function createBranchWatch(): BranchWatch {
  let left = 0
  let leaving: Promise<unknown> | undefined
  return {
    async leave(work) {
      const done = work()
      leaving = done.catch(() => undefined)
      try {
        return await done
      } finally {
        left += 1
        leaving = undefined
      }
    },
    async within(work) {
      for (let tries = 1; ; tries += 1) {
        await leaving
        const before = left
        const result = await work()
        if ((left === before && !leaving) || tries === mostTries) return result
      }
    },
  }
}
