import { hashFeature } from '../embed/hashFeature.ts'

/** Texts whose words are kept: the same documents and memories are near question after question. */
const mostKept = 1_024

const kept = new Map<string, ReadonlySet<string>>()
const hashes = new WeakMap<ReadonlySet<string>, Int32Array>()

/** The words of a text, which are separated by spaces: of one that was seen lately the same set. */
export function wordSet(text: string): ReadonlySet<string> {
  const words = kept.get(text) ?? new Set(text.split(' '))
  // The last of the map is the one used last.
  kept.delete(text)
  kept.set(text, words)
  if (kept.size > mostKept) kept.delete(kept.keys().next().value!)
  return words
}

/** The share of their words that two texts have in common, 0 to 1. Words of one hash count as one. */
export function sharedWords(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const [first, second] = [hashesOf(a), hashesOf(b)]
  let shared = 0
  let at = 0
  for (const hash of first) {
    while (at < second.length && second[at]! < hash) at += 1
    if (second[at] === hash) shared += 1
  }
  const all = first.length + second.length - shared
  return all === 0 ? 0 : shared / all
}

/** Ascending. */
function hashesOf(words: ReadonlySet<string>): Int32Array {
  const known = hashes.get(words)
  if (known) return known
  const made = Int32Array.from(words, hashFeature).sort()
  hashes.set(words, made)
  return made
}
