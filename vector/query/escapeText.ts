/**
 * Makes text of unknown origin safe on one line of a terminal, a log or a prompt: control, format (bidirectional and
 * zero-width), surrogate, private and line-separating characters become `\u{…}`, as do the marks « » that surround quoted
 * text in answers; the rest stays. Cut to `limit` characters, with `…` where cut.
 */
export function escapeText(text: string, limit: number): string {
  const characters = Array.from(text.slice(0, limit * 2))
  const cut = characters.length > limit || text.length > limit * 2
  const escaped = characters
    .slice(0, limit)
    .map((character) =>
      /[\p{C}\p{Zl}\p{Zp}«»]/u.test(character) ? `\\u{${character.codePointAt(0)!.toString(16)}}` : character,
    )
  return escaped.join('') + (cut ? '…' : '')
}
