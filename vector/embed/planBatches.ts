import { EmbedderError } from './embedderError.ts'

/** Texts `from` up to, not including, `to`. */
export type Batch = { readonly from: number; readonly to: number }

/** Tokens of a text, as many as it surely has: without the model's tokenizer a third of a token a character. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 3)
}

/**
 * Cuts texts into batches, in order, none above either limit. Throws `EmbedderError` `TEXT_TOO_LONG` for a text that exceeds the
 * tokens of a batch by itself: cutting it is for who knows where it may be cut.
 */
export function planBatches(
  texts: readonly string[],
  { batchTexts, batchTokens }: { readonly batchTexts: number; readonly batchTokens: number },
): readonly Batch[] {
  const batches: Batch[] = []
  let from = 0
  let tokens = 0
  for (const [index, text] of texts.entries()) {
    const cost = estimateTokens(text)
    if (cost > batchTokens) {
      throw new EmbedderError(
        'TEXT_TOO_LONG',
        `embedder: expected texts of at most ${batchTokens} tokens (characters / 3), text ${index} has ${cost}: cut it into parts`,
        { facts: { index, tokens: cost, batchTokens } },
      )
    }
    if (index > from && (index - from >= batchTexts || tokens + cost > batchTokens)) {
      batches.push({ from, to: index })
      from = index
      tokens = 0
    }
    tokens += cost
  }
  if (texts.length > from) batches.push({ from, to: texts.length })
  return batches
}
