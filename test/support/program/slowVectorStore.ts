import { openVectorStore, type VectorStore } from '#vector'

/** Opens the real store, and makes every write and read of it take `factor` times as long as it took. */
export function slowVectorStore(factor: number) {
  const calls = { apply: 0, patternsAt: 0 }
  const slowly = async <T>(work: () => Promise<T>): Promise<T> => {
    const start = performance.now()
    const result = await work()
    const rest = (factor - 1) * (performance.now() - start)
    await new Promise((resolve) => setTimeout(resolve, rest))
    return result
  }
  const open: typeof openVectorStore = async (options, deps) => {
    const store: VectorStore = await openVectorStore(options, deps)
    return {
      ...store,
      apply(entries) {
        calls.apply++
        return slowly(() => store.apply(entries))
      },
      patternsAt(boundary) {
        calls.patternsAt++
        return slowly(() => store.patternsAt(boundary))
      },
    }
  }
  return { open, calls }
}
