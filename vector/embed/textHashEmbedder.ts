import type { Embedder } from './embedder.ts'
import { hashFeature } from './hashFeature.ts'

/** Length of the vectors: with 384 places collisions cost a tenth of the right answers, 768 and more gain little. */
const dimensions = 512

/**
 * What counts how much. A word's pieces weigh twice the word together, so that a misspelt or inflected word is still near;
 * a pair of neighbouring words tells phrases apart; words that are in every sentence count a quarter and have no pieces.
 */
const weights = { word: 1, pieces: 2, pair: 0.25, fillers: 0.25 }
const pieceLengths = [3, 4]

const fillers = new Set(
  (
    'a an and are as at be been but by can do does for from had has have how if in into is it its may more no not of on or ' +
    'so than that the their them then there these this to was were what when where which while who why will with'
  ).split(' '),
)

/** Names the words, weights and hash together: changing any of them needs a new version. */
const id = `text-hash-${dimensions}/1`

/**
 * Embeds text by hashing its words, neighbouring words and pieces of words onto signed places, and scaling to length 1. The same
 * text gives the same bits on every machine, at once and with no model: what it knows is spelling, not meaning.
 */
export function createTextHashEmbedder(): Embedder {
  return {
    id,
    dimensions,
    async embed(texts, signal) {
      signal?.throwIfAborted()
      return texts.map(embedText)
    },
  }
}

function embedText(text: string): Float32Array {
  const sums = new Float64Array(dimensions)
  // In the order of the text: sums of fractions depend on their order.
  for (const [name, { weight, count }] of textFeatures(text)) {
    const hash = hashFeature(name)
    // The root, so that the tenth mention of a word counts less than the first; correctly rounded, unlike a logarithm.
    sums[(hash >>> 1) % dimensions]! += (hash & 1 ? -weight : weight) * Math.sqrt(count)
  }
  let squares = 0
  for (const sum of sums) squares += sum * sum
  const vector = new Float32Array(dimensions)
  // A text without a word, or one whose features cancel out: a vector without direction has no distance.
  if (squares === 0) vector[0] = 1
  else for (let place = 0; place < dimensions; place += 1) vector[place] = sums[place]! / Math.sqrt(squares)
  return vector
}

type Counted = { readonly weight: number; count: number }

function textFeatures(text: string): ReadonlyMap<string, Counted> {
  const features = new Map<string, Counted>()
  const add = (name: string, weight: number, count: number) => {
    const known = features.get(name)
    if (known) known.count += count
    else features.set(name, { weight, count })
  }
  // Counted first: the pieces of a word are cut once, however often it comes.
  const counts = new Map<string, { readonly hasPieces: boolean; count: number }>()
  let before = ''
  for (const { word, hasPieces } of words(text)) {
    const known = counts.get(word)
    if (known) known.count += 1
    else counts.set(word, { hasPieces, count: 1 })
    const isCommon = fillers.has(word) || fillers.has(before)
    if (before !== '') add(`p:${before} ${word}`, isCommon ? weights.pair * weights.fillers : weights.pair, 1)
    before = word
  }
  for (const [word, { hasPieces, count }] of counts) {
    const isFiller = fillers.has(word)
    add(`w:${word}`, isFiller ? weights.word * weights.fillers : weights.word, count)
    if (isFiller || !hasPieces) continue
    const pieces = piecesOf(word)
    for (const piece of pieces) add(`g:${piece}`, weights.pieces / Math.sqrt(pieces.length), count)
  }
  return features
}

/** `<transfer>` in overlapping pieces: the marks tell a beginning and an end from the middle. */
function piecesOf(word: string): readonly string[] {
  const characters = Array.from(`<${word}>`)
  return pieceLengths.flatMap((length) =>
    Array.from({ length: Math.max(0, characters.length - length + 1) }, (_, at) =>
      characters.slice(at, at + length).join(''),
    ),
  )
}

/**
 * Words in lower case; `swapExactTokensForETH` and `block_number` are several, and also one. Digits in hex are one word without
 * pieces: two addresses that share some digits have nothing in common.
 */
function* words(text: string): Generator<{ readonly word: string; readonly hasPieces: boolean }> {
  for (const [token] of text.normalize('NFKC').matchAll(/0x[0-9a-f]+|[\p{L}\p{N}]+/giu)) {
    const whole = token.toLowerCase()
    if (/^0x[0-9a-f]+$/.test(whole)) {
      yield { word: whole, hasPieces: false }
      continue
    }
    const parts = token
      .replace(/(\p{Ll}|\p{N})(?=\p{Lu})|(\p{Lu})(?=\p{Lu}\p{Ll})/gu, '$& ')
      .toLowerCase()
      .split(' ')
    if (parts.length > 1) yield { word: whole, hasPieces: false }
    for (const word of parts) yield { word, hasPieces: true }
  }
}
