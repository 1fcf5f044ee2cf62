import pino from 'pino'
import { openVectorStore, type VectorStoreOptions } from '#vector'
import { chainId } from '../../unit/vector/support.ts'

const mebibyte = 2 ** 20

/** Opens a store in a process of its own, and tells what it logged and which process holds it now. */
export async function openApart(directory: string, changes: Partial<VectorStoreOptions> = {}) {
  const lines: { msg: string; process?: number; kind?: string; rehearsed?: number }[] = []
  const store = await openVectorStore(
    {
      directory,
      chainId,
      indexCacheBytes: 16 * mebibyte,
      metadataCacheBytes: 4 * mebibyte,
      optimizeEvery: 10,
      process: { memoryBytes: 4096 * mebibyte },
      ...changes,
    },
    { logger: pino({ level: 'debug' }, { write: (line) => lines.push(JSON.parse(line)) }) },
  )
  const said = (text: string) => lines.filter(({ msg }) => msg.includes(text))
  return {
    store,
    said,
    pid: () => said('process was started').at(-1)!.process!,
    [Symbol.asyncDispose]: () => store.close(),
  }
}
