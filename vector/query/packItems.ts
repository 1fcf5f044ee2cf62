import type { ContextAnswer, ContextItem } from '../types.ts'

/**
 * Takes items in their order as long as they fit the budget: one too large is dropped and smaller ones after it may still
 * fit. An item costs its citation and text, a third of a token a character, rounded up: without the reader's
 * tokenizer an estimate, and hex is dense in tokens.
 */
export function packItems(
  items: readonly ContextItem[],
  tokens: number,
): { readonly items: readonly ContextItem[]; readonly budget: ContextAnswer['budget'] } {
  const kept: ContextItem[] = []
  let used = 0
  for (const item of items) {
    const cost = Math.ceil((item.citation.length + item.text.length + 1) / 3)
    if (used + cost > tokens) continue
    used += cost
    kept.push(item)
  }
  return { items: kept, budget: { tokens, used, method: 'chars/3', dropped: items.length - kept.length } }
}
