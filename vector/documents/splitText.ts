/** Characters of a part: long enough for a thought, short enough that several fit a small budget. */
const longest = 900

/**
 * A text in parts of at most 900 characters, cut between paragraphs where that is possible, else between lines, else between
 * words. Nothing is lost but the blank between two parts.
 */
export function splitText(text: string): readonly string[] {
  const parts: string[] = []
  let open = ''
  for (const piece of pieces(text.replaceAll(/\r\n?/g, '\n'), 0)) {
    if (open !== '' && open.length + piece.length > longest) {
      parts.push(open)
      open = ''
    }
    open += piece
  }
  parts.push(open)
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}

/** Where a text may be cut, the best first: after an empty line, a line, a blank. */
const cuts: readonly RegExp[] = [/(?<=\n\n)/, /(?<=\n)/, /(?<=\s)/]

function pieces(text: string, level: number): readonly string[] {
  if (text.length <= longest) return [text]
  const cut = cuts[level]
  if (cut === undefined) return slices(text)
  return text.split(cut).flatMap((piece) => pieces(piece, level + 1))
}

/** Whole characters, never half of a surrogate pair. */
function slices(text: string): readonly string[] {
  const found: string[] = []
  let at = 0
  while (at < text.length) {
    let end = Math.min(text.length, at + longest)
    const last = text.charCodeAt(end - 1)
    if (end < text.length && last >= 0xd800 && last < 0xdc00) end -= 1
    found.push(text.slice(at, end))
    at = end
  }
  return found
}
