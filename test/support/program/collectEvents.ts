import type { Program } from './startProgram.ts'

/** A line of `/events`. */
export type ChainLine = {
  readonly type: 'applied' | 'undone' | 'durable' | 'acknowledged'
  readonly number: number
  readonly hash: string
}

export type EventCollector = AsyncDisposable & {
  readonly lines: () => readonly ChainLine[]
  /** Resolves once a line satisfies the condition, past or to come. */
  until(condition: (line: ChainLine) => boolean): Promise<void>
}

/** Reads `/events` from now on; resolves once the program has taken the connection. */
export async function collectEvents(program: Program): Promise<EventCollector> {
  const ending = new AbortController()
  const response = await fetch(`${program.address}/events`, { signal: ending.signal })
  const lines: ChainLine[] = []
  const waiting = new Set<() => void>()
  const reading = (async () => {
    let rest = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop()!
      for (const part of parts) if (part !== '') lines.push(JSON.parse(part) as ChainLine)
      for (const look of waiting) look()
    }
  })()
  // It ends when it is closed here, or with the program.
  const ended = reading.catch(() => undefined)
  return {
    lines: () => lines,
    async until(condition) {
      await new Promise<void>((resolve, reject) => {
        const look = () => {
          if (!lines.some(condition)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        void ended.then(() => reject(new Error(`the events ended: ${JSON.stringify(lines)}`)))
        look()
      })
    },
    async [Symbol.asyncDispose]() {
      ending.abort()
      await ended
    },
  }
}
