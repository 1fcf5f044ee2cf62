import pino from 'pino'
import { openVectorStore, type VectorStoreOptions } from '#vector'
import { chainId } from '../../unit/vector/support.ts'

const mebibyte = 2 ** 20

type Line = { msg: string; process?: number; kind?: string; rehearsed?: number }

/** Opens a store in a process of its own, and tells what it logged and which process holds it now. */
export async function openApart(directory: string, changes: Partial<VectorStoreOptions> = {}) {
  const lines: Line[] = []
  const stops: { readonly isAt: (line: Line) => boolean; readonly stopped: (pid: number) => void }[] = []
  const started = () => lines.filter(({ msg }) => msg.includes('process was started')).at(-1)!.process!
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
    { logger: pino({ level: 'debug' }, { write: (text) => hear(JSON.parse(text)) }) },
  )
  const said = (text: string) => lines.filter(({ msg }) => msg.includes(text))
  return {
    store,
    said,
    pid: started,
    /**
     * Stops the process that the next such line names, or the youngest that holds a store, before anything that follows the line can be
     * asked of it; resolves with its id.
     */
    stopAt: (isAt: (line: Line) => boolean) =>
      new Promise<number>((stopped) => stops.push({ isAt, stopped })),
    [Symbol.asyncDispose]: () => store.close(),
  }

  function hear(line: Line): void {
    lines.push(line)
    const index = stops.findIndex(({ isAt }) => isAt(line))
    if (index < 0) return
    const [{ stopped }] = stops.splice(index, 1) as [(typeof stops)[number]]
    const pid = line.process ?? started()
    process.kill(pid, 'SIGSTOP')
    stopped(pid)
  }
}
