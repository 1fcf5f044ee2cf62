import { judgementBytes } from './judgements.ts'
import { KEY_WORDS } from './patternKey.ts'

/**
 * The stored decisions of a block: a header, then columns, little-endian, each from the next multiple of four bytes.
 *
 * | section | what |
 * |---|---|
 * | `patternKeys` | the block's distinct patterns, 28 bytes each, by first appearance |
 * | `neighbourKeys` | the context rows used that are not among them, 28 bytes each |
 * | `lists` | for each pattern its context rows, nearest first: numbers below `distinct` are patterns of the block |
 * | `listLengths` | 1 byte a pattern |
 * | `rates` | each pattern's chance of success as a float, where the scorer has one: a byte is too coarse to rank by |
 * | `patterns`, `confidence`, `rules`, `parts` | a row for each transaction; `parts` column by column |
 * | `model` | the model version, UTF-8 |
 * | `judgements` | of envelopes, where the scorer judges them by a model (see judgements.ts) |
 * | `notes` | row (u32), length (u16), UTF-8; one after the other |
 *
 * A transaction takes 13 bytes with the eight parts of the default scorer; the rest is the dictionary.
 */
export type BlobFacts = {
  /** 1: `lists` has four bytes a number, else two. 2: so has `patterns`. 4: there are `rates`. */
  readonly flags: number
  /** Index into `scorerNames`. */
  readonly scorer: number
  /** Index into `contextStates`. */
  readonly context: number
  readonly partCount: number
  readonly count: number
  readonly distinct: number
  readonly neighbours: number
  readonly listed: number
  readonly modelBytes: number
  readonly noteBytes: number
  /** Envelopes judged by a model. */
  readonly judged: number
  readonly runAbove: number
  readonly skipBelow: number
  /** 0: none. */
  readonly boundary: number
}

export const BLOB_FORMAT = 1
export const BLOB_HEADER = 48
export const WIDE_LISTS = 1
export const WIDE_PATTERNS = 2
export const WITH_RATES = 4

/** Where each section starts; `end` is the size of the whole. */
export function blobLayout(facts: BlobFacts) {
  const { count, distinct } = facts
  let end = BLOB_HEADER
  const section = (bytes: number): number => {
    const start = end
    end = (end + bytes + 3) & ~3
    return start
  }
  const patternKeys = section(distinct * KEY_WORDS * 4)
  const neighbourKeys = section(facts.neighbours * KEY_WORDS * 4)
  const lists = section(facts.listed * ((facts.flags & WIDE_LISTS) !== 0 ? 4 : 2))
  const listLengths = section(distinct)
  const rates = section((facts.flags & WITH_RATES) !== 0 ? distinct * 4 : 0)
  const patterns = section(count * ((facts.flags & WIDE_PATTERNS) !== 0 ? 4 : 2))
  const confidence = section(count * 2)
  const rules = section(count)
  const parts = section(count * facts.partCount)
  const model = section(facts.modelBytes)
  const judgements = section(judgementBytes(facts.judged))
  const notes = section(facts.noteBytes)
  return {
    patternKeys,
    neighbourKeys,
    lists,
    listLengths,
    rates,
    patterns,
    confidence,
    rules,
    parts,
    model,
    judgements,
    notes,
    end,
  }
}

export function writeBlobHeader(buffer: ArrayBuffer, facts: BlobFacts): void {
  const view = new DataView(buffer)
  view.setUint8(0, BLOB_FORMAT)
  view.setUint8(1, facts.flags | (facts.scorer << 4))
  view.setUint8(2, facts.context)
  view.setUint8(3, facts.partCount)
  view.setUint32(4, facts.count, true)
  view.setUint32(8, facts.distinct, true)
  view.setUint32(12, facts.neighbours, true)
  view.setUint32(16, facts.listed, true)
  view.setUint32(20, facts.modelBytes, true)
  view.setUint32(24, facts.noteBytes, true)
  view.setFloat32(28, facts.runAbove, true)
  view.setFloat32(32, facts.skipBelow, true)
  view.setUint32(36, facts.judged, true)
  view.setFloat64(40, facts.boundary, true)
}

/** Reads a header of at least `BLOB_HEADER` bytes; undefined when the format is another. */
export function readBlobHeader(bytes: Uint8Array): BlobFacts | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint8(0) !== BLOB_FORMAT) return undefined
  return {
    flags: view.getUint8(1) & 15,
    scorer: view.getUint8(1) >> 4,
    context: view.getUint8(2),
    partCount: view.getUint8(3),
    count: view.getUint32(4, true),
    distinct: view.getUint32(8, true),
    neighbours: view.getUint32(12, true),
    listed: view.getUint32(16, true),
    modelBytes: view.getUint32(20, true),
    noteBytes: view.getUint32(24, true),
    runAbove: view.getFloat32(28, true),
    skipBelow: view.getFloat32(32, true),
    judged: view.getUint32(36, true),
    boundary: view.getFloat64(40, true),
  }
}
