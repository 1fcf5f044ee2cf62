import { FilterError } from '../errors.ts'
import { escapeText } from '../query/escapeText.ts'

export type FilterToken = {
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'hex' | 'symbol' | 'end'
  /** Strings and quoted names without quotes, words as written. */
  readonly text: string
  readonly position: number
}

/** Longest condition, in bytes of UTF-8. */
export const filterBytes = 2048

const patterns: readonly (readonly [FilterToken['kind'], RegExp])[] = [
  ['hex', /0[xX][0-9a-fA-F]*(?![\w.])/y],
  ['number', /-?\d+(?:\.\d+)?(?![\w.])/y],
  ['word', /[A-Za-z_]\w*/y],
  ['string', /'(?:[^']|'')*'/y],
  ['name', /"[A-Za-z_]\w*"|`[A-Za-z_]\w*`/y],
  ['symbol', /<=|>=|<>|!=|[=<>(),]/y],
]

/** Splits a condition into tokens, with a closing `end`. Throws `FilterError` at the first character that fits nowhere. */
export function tokenizeFilter(text: string): readonly FilterToken[] {
  const bytes = Buffer.byteLength(text)
  if (bytes > filterBytes)
    throw new FilterError(`expected at most ${filterBytes} bytes, got ${bytes}`, filterBytes)
  const tokens: FilterToken[] = []
  let position = 0
  while (position < text.length) {
    if (/\s/.test(text[position]!)) {
      position += 1
      continue
    }
    const token = readToken(text, position)
    tokens.push(token.token)
    position = token.end
  }
  tokens.push({ kind: 'end', text: '', position: text.length })
  return tokens
}

function readToken(text: string, position: number): { readonly token: FilterToken; readonly end: number } {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = position
    const match = pattern.exec(text)?.[0]
    if (match === undefined) continue
    return { token: { kind, text: unquote(kind, match), position }, end: position + match.length }
  }
  const at = text[position]!
  if (at === "'")
    throw new FilterError("a string without its closing quote: write ' inside a string as ''", position)
  throw new FilterError(`unexpected '${escapeText(text.slice(position, position + 12), 12)}'`, position)
}

function unquote(kind: FilterToken['kind'], match: string): string {
  if (kind === 'string') return match.slice(1, -1).replaceAll("''", "'")
  return kind === 'name' ? match.slice(1, -1) : match
}
