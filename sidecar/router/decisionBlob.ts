import {
  type BlobFacts,
  blobLayout,
  WIDE_LISTS,
  WIDE_PATTERNS,
  WITH_RATES,
  writeBlobHeader,
} from './blobLayout.ts'
import type { BlockPatterns } from './blockPatterns.ts'
import { type ContextSnapshot, contextStates } from './contextSnapshot.ts'
import { judgedIn } from './judgements.ts'
import type { NeighbourCache } from './neighbourCache.ts'
import { KEY_WORDS } from './patternKey.ts'
import type { PatternTable } from './patternTable.ts'
import type { Note } from './policy.ts'
import { type Scorer, scorerNames } from './scorer.ts'

/** A blob whose dictionary is written and whose columns are to be filled. */
export type OpenBlob = {
  readonly facts: BlobFacts
  readonly bytes: Uint8Array
  /** A row for each pattern, or none. */
  readonly rates: Float32Array
  readonly parts: Uint8Array
  readonly rules: Uint8Array
  readonly confidence: Uint16Array
}

/** Builds the stored decisions, block after block; holds only scratch memory. */
export class DecisionBlobs {
  private readonly scorer: Scorer
  private readonly model: Uint8Array
  /** By rank: the number of the row in the block whose stamp is there too. */
  private numbers = new Int32Array(0)
  private stamps = new Int32Array(0)
  private stamp = 0
  private lists = new Uint32Array(0)
  private used = new Int32Array(0)

  constructor(scorer: Scorer, modelVersion: string) {
    this.scorer = scorer
    this.model = Buffer.from(modelVersion)
  }

  open(
    count: number,
    patterns: BlockPatterns,
    table: PatternTable,
    cache: NeighbourCache,
    snapshot: ContextSnapshot,
  ): OpenBlob {
    const distinct = patterns.count
    this.reserve(snapshot.count, distinct * cache.width)
    const listed = this.number(patterns, cache)
    const neighbours = this.neighbours
    const flags =
      (distinct + neighbours > 65_536 ? WIDE_LISTS : 0) |
      (distinct > 65_536 ? WIDE_PATTERNS : 0) |
      (this.scorer.hasRates ? WITH_RATES : 0)
    const facts: BlobFacts = {
      flags,
      scorer: scorerNames.indexOf(this.scorer.name),
      context: contextStates.indexOf(snapshot.state),
      partCount: this.scorer.parts.length,
      count,
      distinct,
      neighbours,
      listed,
      modelBytes: this.model.length,
      noteBytes: 0,
      judged: 0,
      runAbove: this.scorer.runAbove,
      skipBelow: this.scorer.skipBelow,
      boundary: snapshot.boundary,
    }
    const layout = blobLayout(facts)
    const buffer = new ArrayBuffer(layout.end)
    writeBlobHeader(buffer, facts)
    const bytes = new Uint8Array(buffer)
    const words = new Uint32Array(buffer, 0, layout.lists / 4)
    const { ids } = patterns
    for (let local = 0, w = layout.patternKeys / 4; local < distinct; local++) {
      for (let k = ids[local]! * KEY_WORDS, end = k + KEY_WORDS; k < end; k++) words[w++] = table.keys[k]!
    }
    for (let i = 0, w = layout.neighbourKeys / 4; i < neighbours; i++) {
      for (let k = this.used[i]! * KEY_WORDS, end = k + KEY_WORDS; k < end; k++)
        words[w++] = snapshot.keys[k]!
    }
    const lists = numbers(buffer, layout.lists, listed, (flags & WIDE_LISTS) !== 0)
    lists.set(this.lists.subarray(0, listed))
    for (let local = 0, at = layout.listLengths; local < distinct; local++) {
      bytes[at++] = cache.lengths[ids[local]!]!
    }
    numbers(buffer, layout.patterns, count, (flags & WIDE_PATTERNS) !== 0).set(
      patterns.localOf.subarray(0, count),
    )
    bytes.set(this.model, layout.model)
    return {
      facts,
      bytes,
      rates: new Float32Array(buffer, layout.rates, this.scorer.hasRates ? distinct : 0),
      parts: new Uint8Array(buffer, layout.parts, count * facts.partCount),
      rules: new Uint8Array(buffer, layout.rules, count),
      confidence: new Uint16Array(buffer, layout.confidence, count),
    }
  }

  /** The stored bytes, with judgements and notes; without any they are the open blob's own. */
  close(open: OpenBlob, judgements: Uint8Array, notes: readonly Note[]): Uint8Array {
    if (notes.length === 0 && judgements.length === 0) return open.bytes
    const encoded: Buffer[] = []
    for (const { row, text } of notes) {
      const utf8 = Buffer.from(text)
      const entry = Buffer.alloc(6 + utf8.length)
      entry.writeUInt32LE(row, 0)
      entry.writeUInt16LE(utf8.length, 4)
      utf8.copy(entry, 6)
      encoded.push(entry)
    }
    const all = Buffer.concat(encoded)
    const facts = { ...open.facts, noteBytes: all.length, judged: judgedIn(judgements) }
    const layout = blobLayout(facts)
    const buffer = new ArrayBuffer(layout.end)
    const bytes = new Uint8Array(buffer)
    bytes.set(open.bytes)
    writeBlobHeader(buffer, facts)
    bytes.set(judgements, layout.judgements)
    bytes.set(all, layout.notes)
    return bytes
  }

  private neighbours = 0

  /** Numbers the context rows used and writes the lists to scratch; returns their length together. */
  private number(patterns: BlockPatterns, cache: NeighbourCache): number {
    const { numbers, stamps, lists, used } = this
    const { ids, count } = patterns
    const { ranks, lengths, own, width } = cache
    const stamp = ++this.stamp
    for (let local = 0; local < count; local++) {
      const id = ids[local]!
      if (own[id] === 0) continue
      const rank = ranks[id * width]!
      stamps[rank] = stamp
      numbers[rank] = local
    }
    let listed = 0
    let neighbours = 0
    for (let local = 0; local < count; local++) {
      const id = ids[local]!
      for (let at = id * width, end = at + lengths[id]!; at < end; at++) {
        const rank = ranks[at]!
        if (stamps[rank] !== stamp) {
          stamps[rank] = stamp
          numbers[rank] = count + neighbours
          used[neighbours++] = rank
        }
        lists[listed++] = numbers[rank]!
      }
    }
    this.neighbours = neighbours
    return listed
  }

  private reserve(rows: number, listed: number): void {
    if (this.numbers.length < rows) {
      this.numbers = new Int32Array(rows)
      this.stamps = new Int32Array(rows)
      this.used = new Int32Array(rows)
    }
    if (this.lists.length < listed) this.lists = new Uint32Array(listed * 2)
  }
}

function numbers(buffer: ArrayBuffer, offset: number, length: number, wide: boolean) {
  return wide ? new Uint32Array(buffer, offset, length) : new Uint16Array(buffer, offset, length)
}
