/**
 * True when a text as a whole fits a pattern, in any case: `*` stands for any run of characters, everything else for itself. Takes time
 * in proportion to the text, whatever the pattern.
 */
export function fitsPattern(text: string, pattern: string): boolean {
  const lower = text.toLowerCase()
  const [head = '', ...parts] = pattern.toLowerCase().split('*')
  if (parts.length === 0) return lower === head
  const tail = parts.pop()!
  if (!lower.startsWith(head) || lower.length < head.length + tail.length || !lower.endsWith(tail))
    return false
  // Each part at its first place: taking a later one never makes more room for the rest.
  const end = lower.length - tail.length
  let at = head.length
  for (const part of parts) {
    const found = lower.indexOf(part, at)
    if (found === -1 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}
