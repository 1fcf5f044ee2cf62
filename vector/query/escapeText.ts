const unsafe = /[\p{C}\p{Zl}\p{Zp}«»]/gu
const surrogate = /[\ud800-\udfff]/

/**
 * Makes text of unknown origin safe on one line of a terminal, a log or a prompt: control, format (bidirectional and
 * zero-width), surrogate, private and line-separating characters become `\u{…}`, as do the marks « » that surround quoted
 * text in answers; the rest stays. Cut to `limit` characters, with `…` where cut.
 */
export function escapeText(text: string, limit: number): string {
  const head = text.slice(0, limit * 2)
  // Nearly everywhere every character is one unit, and nothing has to be taken apart.
  const characters = surrogate.test(head) ? Array.from(head) : undefined
  const cut = (characters ?? head).length > limit || text.length > limit * 2
  const kept = characters ? characters.slice(0, limit).join('') : head.slice(0, limit)
  return (
    kept.replace(unsafe, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`) + (cut ? '…' : '')
  )
}
