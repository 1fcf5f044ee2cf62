/**
 * Finds the line, counted from 1, on which each key of a TOML text stands, by its dotted path: `vector.rows_per_block`.
 * Keys inside inline tables and arrays have the line of the key that holds them, under that key's path alone. The text
 * must be valid TOML: `smol-toml` reads the values and refuses the rest, but keeps no positions.
 */
export function tomlKeyLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>()
  let table: readonly string[] = []
  let line = 1
  let at = 0
  while (at < text.length) {
    const start = at
    const startLine = line
    at = endOfStatement(text, start)
    const statement = text.slice(start, at)
    line += statement.split('\n').length - 1
    const header = /^\s*\[\[?/.exec(statement)
    const path = readPath(statement.slice(header?.[0].length ?? 0))
    if (path.length === 0) continue
    const full = header ? path : [...table, ...path]
    if (header) table = path
    // Blank lines and comments end as statements of their own, so this one begins on its first line.
    const key = full.join('.')
    if (!lines.has(key)) lines.set(key, startLine)
  }
  return lines
}

/** Where the statement that starts at `from` ends: after the first newline outside strings and brackets. */
function endOfStatement(text: string, from: number): number {
  let depth = 0
  let at = from
  while (at < text.length) {
    const quote = /^("""|'''|"|')/.exec(text.slice(at, at + 3))?.[0]
    if (quote !== undefined) {
      at = endOfString(text, at + quote.length, quote)
      continue
    }
    const character = text[at]!
    if (character === '#') {
      const newline = text.indexOf('\n', at)
      at = newline < 0 ? text.length : newline
      continue
    }
    if (character === '[' || character === '{') depth++
    if (character === ']' || character === '}') depth--
    at++
    if (character === '\n' && depth === 0) return at
  }
  return at
}

function endOfString(text: string, from: number, quote: string): number {
  let at = from
  while (at < text.length) {
    if (quote.startsWith('"') && text[at] === '\\') at += 2
    else if (text.startsWith(quote, at)) {
      at += quote.length
      // `""""` ends a text whose last character is a quote: what closes it is the last three.
      while (quote.length === 3 && text[at] === quote[0]) at++
      return at
    } else at++
  }
  return at
}

/** The dotted key at the start of a statement; empty for a blank line or a comment. */
function readPath(statement: string): string[] {
  const path: string[] = []
  let rest = statement.trimStart()
  for (;;) {
    const [token] = /^("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)/.exec(rest) ?? []
    if (token === undefined) return path
    path.push(/^["']/.test(token) ? token.slice(1, -1) : token)
    rest = rest.slice(token.length).trimStart()
    if (!rest.startsWith('.')) return path
    rest = rest.slice(1).trimStart()
  }
}
