import type { PrefetchOptions } from './types.ts'

/** What is likely to be asked next: what was asked often among the last questions. */
export type LikelyQuestions = {
  asked(key: string): void
  isLikely(key: string): boolean
  /** Keys, most asked first. */
  list(): readonly string[]
}

/** A question that came k times among the last `windowSize` comes again with k / (k + 1), as the rule of succession has it. */
export function createLikelyQuestions({ windowSize, threshold }: PrefetchOptions): LikelyQuestions {
  const counts = new Map<string, number>()
  const window: string[] = []
  let next = 0

  const isLikely = (key: string) => {
    const count = counts.get(key) ?? 0
    return count > 0 && count / (count + 1) >= threshold
  }
  return {
    asked(key) {
      const gone = window[next]
      window[next] = key
      next = (next + 1) % windowSize
      counts.set(key, (counts.get(key) ?? 0) + 1)
      if (gone === undefined) return
      const left = counts.get(gone)! - 1
      if (left === 0) counts.delete(gone)
      else counts.set(gone, left)
    },
    isLikely,
    list: () =>
      [...counts]
        .filter(([key]) => isLikely(key))
        .sort(([, a], [, b]) => b - a)
        .map(([key]) => key),
  }
}
