import type { Explanation } from './explainDecision.ts'
import { untrustedNotice } from './markUntrusted.ts'
import type { ChatMessage } from './streamChat.ts'

/** What a model is asked: to word the facts, and nothing beyond them. */
export function chatMessages({ facts, transactionHash }: Explanation): readonly ChatMessage[] {
  const lines = facts.map(({ number, text, citation }) => `[${number}] ${text} (${citation})`)
  return [
    {
      role: 'system',
      content:
        'You word a decision that a program has already made. You decide nothing and change nothing. Use only the numbered facts ' +
        'below, and put the number of the fact in brackets after each statement, like [2]. What the facts do not say, say that ' +
        'they do not say. Answer in plain text, in at most six sentences. ' +
        untrustedNotice,
    },
    {
      role: 'user',
      content: `Facts:\n${lines.join('\n')}\n\nWhy was transaction ${transactionHash} decided as it was, and what became of it?`,
    },
  ]
}

/** Which facts a model's answer names, and which numbers it made up: ascending, each once. */
export type CitedFacts = { readonly cited: readonly number[]; readonly unknown: readonly number[] }

/** Reads the citations of an answer: `[2]`, `[2, 5]`, `[2][5]`. */
export function citedFacts(answer: string, facts: Explanation['facts']): CitedFacts {
  const numbers = new Set<number>()
  for (const [, list] of answer.matchAll(/\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]/g)) {
    for (const each of list!.split(',')) numbers.add(Number(each))
  }
  const known = new Set(facts.map(({ number }) => number))
  const sorted = [...numbers].sort((a, b) => a - b)
  return {
    cited: sorted.filter((number) => known.has(number)),
    unknown: sorted.filter((number) => !known.has(number)),
  }
}
