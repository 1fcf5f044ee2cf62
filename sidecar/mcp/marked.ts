import type { CallToolResult } from '@modelcontextprotocol/server'
import type { ContextAnswer, ContextItem } from '#vector'
import { escapeStrings, escapeUntrusted, markUntrusted, untrustedNotice } from '../explain/markUntrusted.ts'

/** An item as tools give it: what strangers chose is escaped, and together under `data` with `untrusted: true`. */
export function markedItem(item: ContextItem) {
  const { id, kind, score, distance, scores, finality, asOf } = item
  return {
    ...{
      id,
      kind,
      citation: escapeUntrusted(item.citation),
      score,
      distance,
      scores: { ...scores },
      finality,
      asOf,
    },
    source: item.provenance.source,
    data: {
      untrusted: true as const,
      text: markUntrusted(item.text),
      facts: escapeStrings({ ...item.facts }),
    },
  }
}

/** An answer of the context door, marked. */
export function markedAnswer(answer: ContextAnswer) {
  return {
    query: escapeUntrusted(answer.query),
    asOf: answer.asOf ?? null,
    items: answer.items.map(markedItem),
    budget: answer.budget,
    warnings: answer.warnings.map(escapeUntrusted),
  }
}

/** The items of an answer for a reader of text: citation, score, finality, then the text between the marks. */
export function itemLines(answer: ReturnType<typeof markedAnswer>): string {
  const { items, asOf, warnings } = answer
  const at = asOf === null ? 'nothing stored yet' : `as of block ${asOf.number}`
  const lines = items.flatMap((item, i) => [
    `${i + 1}. [${item.citation}] score ${item.score.toFixed(3)}, ${item.finality}`,
    `   ${item.data.text}`,
  ])
  for (const warning of warnings) lines.push(`warning: ${warning}`)
  return `${items.length} found, ${at}.${items.length > 0 ? ` ${untrustedNotice}` : ''}\n${lines.join('\n')}`
}

/** A tool's result: the structure, and the same in short text for models that read only text. */
export function toolResult(structuredContent: Record<string, unknown>, text: string): CallToolResult {
  return { structuredContent, content: [{ type: 'text', text }] }
}
