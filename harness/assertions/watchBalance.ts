import { setTimeout as delay } from 'node:timers/promises'
import type { Sidecar } from '../sidecar/startSidecar.ts'

/** What `/events` tells, block by block. */
type ChainLine = { readonly type: string; readonly number: number; readonly hash: string }

export type BalanceWatch = AsyncDisposable & {
  readonly applied: () => number
  readonly undone: () => number
  /** Steps that do not follow from the ones before, while one connection lasted. */
  readonly problems: () => readonly string[]
}

const retryMs = 50

/**
 * Listens to a sidecar's events, over all its restarts, and keeps the books: a block is applied on the tip, and only the tip is
 * undone. What happened while nobody could listen is not known, so each connection begins with an empty book.
 */
export function watchBalance(sidecar: Sidecar): BalanceWatch {
  const ending = new AbortController()
  const problems: string[] = []
  let applied = 0
  let undone = 0

  const read = async (): Promise<void> => {
    const response = await fetch(`${sidecar.httpUrl}/events`, { signal: ending.signal })
    const chain: ChainLine[] = []
    let rest = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop()!
      for (const part of parts) if (part !== '') take(chain, JSON.parse(part) as ChainLine)
    }
  }
  const take = (chain: ChainLine[], line: ChainLine) => {
    const tip = chain.at(-1)
    if (line.type === 'applied') {
      applied += 1
      if (tip !== undefined && line.number !== tip.number + 1)
        problems.push(`${sidecar.name}: applied ${line.number} on ${tip.number}`)
      chain.push(line)
    } else if (line.type === 'undone') {
      undone += 1
      if (tip !== undefined && tip.hash !== line.hash)
        problems.push(
          `${sidecar.name}: undid ${line.number} ${line.hash}, the tip was ${tip.number} ${tip.hash}`,
        )
      chain.pop()
    }
  }
  const reading = (async () => {
    while (!ending.signal.aborted) {
      // It is down, or went down: that is what the topology is for.
      await read().catch(() => {})
      await delay(retryMs, undefined, { signal: ending.signal }).catch(() => {})
    }
  })()
  return {
    applied: () => applied,
    undone: () => undone,
    problems: () => problems,
    [Symbol.asyncDispose]: async () => {
      ending.abort()
      await reading
    },
  }
}
