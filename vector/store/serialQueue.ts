/** Runs functions one after the other in the order given; a failure reaches its own caller and holds up nobody else. */
export type SerialQueue = {
  run<T>(work: () => Promise<T>): Promise<T>
  /** Resolves when everything given so far has run. */
  idle(): Promise<void>
}

export function createSerialQueue(): SerialQueue {
  let last: Promise<unknown> = Promise.resolve()
  return {
    run(work) {
      const result = last.then(work)
      last = result.then(
        () => undefined,
        () => undefined,
      )
      return result
    },
    async idle() {
      await last
    },
  }
}
