import type { BlockRef } from '../notification/types.ts'
import {
  BLOB_HEADER,
  type BlobFacts,
  blobLayout,
  readBlobHeader,
  WIDE_LISTS,
  WIDE_PATTERNS,
  WITH_RATES,
} from './blobLayout.ts'
import { contextStates } from './contextSnapshot.ts'
import { type Judgement, readJudgements } from './judgements.ts'
import { KEY_WORDS, patternId } from './patternKey.ts'
import { MAX_UNITS, patternParts } from './patternScorer.ts'
import { rules } from './policy.ts'
import { renderReason } from './renderReason.ts'
import { RouterError } from './routerError.ts'
import { scorerNames } from './scorer.ts'
import { seedParts } from './seedScorer.ts'
import type { Decision, StoredDecision } from './types.ts'

const partNames = { pattern: patternParts, seed: seedParts, enhanced: patternParts }

/** The decisions of a block, read one by one as they are asked for. */
export type OpenDecisions = {
  readonly count: number
  /** Throws a `RangeError` for an index the block does not have. */
  at(transactionIndex: number): StoredDecision
}

/** Opens the stored decisions of a block. Throws `blob damaged`. */
export function openDecisions(blob: Uint8Array): OpenDecisions {
  const open = openBlob(blob)
  const { count } = open.facts
  return {
    count,
    at(transactionIndex) {
      if (!(transactionIndex >= 0 && transactionIndex < count)) {
        throw new RangeError(`transaction ${transactionIndex} of a block of ${count}`)
      }
      return decisionAt(open, transactionIndex)
    },
  }
}

/** One decision by its index. Several of a block are read faster through one `openDecisions`. */
export function readDecision(blob: Uint8Array, transactionIndex: number): StoredDecision {
  return openDecisions(blob).at(transactionIndex)
}

/**
 * All decisions of a block in full; `transactionHashes` has 32 bytes a transaction.
 *
 * @example
 * for (const decision of readDecisions(effects.decisions, effects.block, effects.transactionHashes)) …
 */
export function readDecisions(blob: Uint8Array, block: BlockRef, transactionHashes: Uint8Array): Decision[] {
  const open = openBlob(blob)
  return Array.from({ length: open.facts.count }, (_, row) => ({
    block,
    transactionHash: `0x${Buffer.from(transactionHashes.subarray(row * 32, row * 32 + 32)).toString('hex')}`,
    ...decisionAt(open, row),
  }))
}

type Open = {
  readonly bytes: Buffer
  readonly facts: BlobFacts
  readonly layout: ReturnType<typeof blobLayout>
  readonly model: string
  readonly notes: ReadonlyMap<number, string>
  readonly judgements: ReadonlyMap<number, Judgement>
  /** Where each pattern's list starts; made when the first is asked for. */
  readonly listStarts: Uint32Array
}

function openBlob(blob: Uint8Array): Open {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length)
  const facts = bytes.length >= BLOB_HEADER ? readBlobHeader(bytes) : undefined
  const layout = facts && blobLayout(facts)
  const name = facts && scorerNames[facts.scorer]
  if (
    facts === undefined ||
    layout === undefined ||
    layout.end !== bytes.length ||
    name === undefined ||
    partNames[name].length !== facts.partCount
  ) {
    throw new RouterError('blob damaged', {
      expected: layout === undefined ? 'decisions in a known format' : `${layout.end} bytes of known parts`,
      received: `${bytes.length} bytes`,
      where: 'the stored decisions of a block',
      action: 'Restore the state from its last good checkpoint.',
    })
  }
  const listStarts = new Uint32Array(facts.distinct + 1)
  for (let i = 0; i < facts.distinct; i++) listStarts[i + 1] = listStarts[i]! + bytes[layout.listLengths + i]!
  const notes = new Map<number, string>()
  for (let at = layout.notes; at < layout.notes + facts.noteBytes; ) {
    const end = at + 6 + bytes.readUInt16LE(at + 4)
    notes.set(bytes.readUInt32LE(at), bytes.toString('utf8', at + 6, end))
    at = end
  }
  const model = bytes.toString('utf8', layout.model, layout.model + facts.modelBytes)
  const judgements = readJudgements(bytes, layout.judgements, facts.judged)
  return { bytes, facts, layout, model, notes, judgements, listStarts }
}

function decisionAt(open: Open, row: number): StoredDecision {
  const { bytes, facts, layout } = open
  const rule = rules[bytes[layout.rules + row]!]!
  const names: readonly string[] = partNames[scorerNames[facts.scorer]!]
  const parts: Record<string, number> = {}
  names.forEach((name, column) => {
    parts[name] = bytes[layout.parts + column * facts.count + row]! / 255
  })
  const confidence = bytes.readUInt16LE(layout.confidence + row * 2) / 65_535
  const pattern = patternOf(open, row)
  if ((facts.flags & WITH_RATES) !== 0) parts.success = bytes.readFloatLE(layout.rates + pattern * 4)
  const context = contextOf(open, pattern)
  const judgement = open.judgements.get(row)
  if (judgement !== undefined) Object.assign(parts, judgedParts(judgement))
  return {
    transactionIndex: row,
    route: rule.route,
    rule: rule.name,
    confidence,
    parts,
    context,
    contextBoundary: facts.boundary === 0 ? undefined : BigInt(facts.boundary),
    modelVersion: open.model,
    ...(judgement === undefined ? {} : { judgement }),
    reason: renderReason(rule, {
      confidence,
      parts,
      judgement,
      citations: context,
      runAbove: facts.runAbove,
      skipBelow: facts.skipBelow,
      context: contextStates[facts.context]!,
      note: open.notes.get(row),
    }),
  }
}

/** The row's pattern, by its number in the block. */
function patternOf({ bytes, facts, layout }: Open, row: number): number {
  return (facts.flags & WIDE_PATTERNS) !== 0
    ? bytes.readUInt32LE(layout.patterns + row * 4)
    : bytes.readUInt16LE(layout.patterns + row * 2)
}

function contextOf(open: Open, pattern: number): string[] {
  const { bytes, facts, layout } = open
  const ids: string[] = []
  for (let i = open.listStarts[pattern]!; i < open.listStarts[pattern + 1]!; i++) {
    const number =
      (facts.flags & WIDE_LISTS) !== 0
        ? bytes.readUInt32LE(layout.lists + i * 4)
        : bytes.readUInt16LE(layout.lists + i * 2)
    const at =
      number < facts.distinct
        ? layout.patternKeys + number * KEY_WORDS * 4
        : layout.neighbourKeys + (number - facts.distinct) * KEY_WORDS * 4
    ids.push(patternId(bytes, at))
  }
  return ids
}

/** The parts a judgement holds more exactly than the byte kept for every transaction, and those it has besides. */
function judgedParts({ success, lower, upper, risk, computeUnits }: Judgement): Record<string, number> {
  const margin = (upper - lower) / 2
  return { success, margin, risk: risk / 100, computeUnits: (computeUnits?.upper ?? 0) / MAX_UNITS }
}
