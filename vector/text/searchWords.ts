/** Longest word kept: a 32-byte hash with its 0x. The index ignores longer ones. */
export const longestWord = 66

/** A word without the mark of its plural: `transfers` and `transfer` are one. Digits and short words stay. */
export function singular(word: string): string {
  return /^\p{L}{2,}[^s\P{L}]s$/u.test(word) ? word.slice(0, -1) : word
}

/**
 * The words of a text as they are indexed and asked for: lower case, without accents; a name in several words also in its parts
 * (`swapExactTokensForETH`, `block_number`), hex digits whole, plurals as singulars. In the order of the text, repeats included.
 */
export function searchWords(text: string): readonly string[] {
  const words: string[] = []
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '')
  for (const [token] of plain.matchAll(/[\p{L}\p{N}_]+/gu)) {
    const whole = token.toLowerCase()
    if (whole.length > longestWord) continue
    if (/^0x[0-9a-f]+$/.test(whole)) {
      words.push(whole)
      continue
    }
    const parts = token
      .replace(/(\p{Ll}|\p{N})(?=\p{Lu})|(\p{Lu})(?=\p{Lu}\p{Ll})/gu, '$& ')
      .toLowerCase()
      .split(/[\s_]+/)
      .filter((part) => part !== '')
    if (parts.length > 1) words.push(whole.replaceAll('_', ''))
    words.push(...parts.map(singular))
  }
  return words
}

/** A text's words as one line, for the column that is indexed. */
export function searchText(text: string): string {
  return searchWords(text).join(' ')
}
