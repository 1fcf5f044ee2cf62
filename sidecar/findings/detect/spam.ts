import { createHash } from 'node:crypto'
import type { TransactionColumns } from '../../notification/types.ts'
import { CONTRACT_CREATION } from '../../notification/types.ts'
import { MAX_REPEATS, type RepeatCount } from '../blockFacts.ts'
import { clampRisk, impactOf } from '../impactOf.ts'
import type { Memory } from '../memory.ts'
import { inputOf, type RepeatedSenders, refsOf, selectorOf, senderOf, smallValueOf, toOf } from '../rows.ts'
import type { Finding, SpamEvidence } from '../types.ts'

/** What is tiny: at most this value in wei (0.001 and 0.0001 of the currency), and this much calldata. */
const MAX_VALUE_REPEAT = 1e15
const MAX_VALUE_SPRAY = 1e14
const MAX_INPUT_BYTES = 196
/** Equal calls that make spam: in this block, and in the memory with this block. */
const MIN_IN_BLOCK = 3
const MIN_IN_WINDOW = 10

export type SpamResult = { readonly findings: readonly Finding[]; readonly repeats: readonly RepeatCount[] }

/**
 * Spam: many tiny equal calls of one sender. Equal are calls with the same target, value and calldata (`repeat`), or the
 * same dust without calldata to one account after another (`spray`). Pay-outs and air-drops differ in amount or recipient
 * and are none.
 */
export function findSpam(columns: TransactionColumns, senders: RepeatedSenders, memory: Memory): SpamResult {
  const repeats: RepeatCount[] = []
  const findings: Finding[] = []
  for (const indexes of senders) {
    for (const { form, rows, equal } of groupsOf(columns, indexes)) {
      // One account paid twice is a repeat; a spray has recipients.
      const count = form === 'spray' ? new Set(rows.map((index) => toOf(columns, index))).size : rows.length
      if (count < 2) continue
      const key = keyOf(columns, rows[0]!, form, equal)
      if (repeats.length < MAX_REPEATS) repeats.push({ key, count })
      if (count < MIN_IN_BLOCK) continue
      const before = [...memory.repeats(key).values()].reduce((sum, each) => sum + each, 0)
      if (before + count < MIN_IN_WINDOW) continue
      findings.push(toFinding(columns, form, rows, before + count, memory.blocks.length + 1))
    }
  }
  return { findings, repeats }
}

/** Rows of one sender that are tiny and equal; `equal` is what is equal in them beside the sender. */
type Group = { readonly form: SpamEvidence['form']; readonly rows: number[]; readonly equal: string }

function groupsOf(columns: TransactionColumns, indexes: readonly number[]): Iterable<Group> {
  const groups = new Map<string, Group>()
  const add = (form: SpamEvidence['form'], equal: string, index: number) => {
    const group = groups.get(form + equal)
    if (group) group.rows.push(index)
    else groups.set(form + equal, { form, rows: [index], equal })
  }
  for (const index of indexes) {
    if (columns.kinds[index]! & CONTRACT_CREATION) continue
    const { start, length } = inputOf(columns, index)
    const value = smallValueOf(columns, index)
    if (value === undefined || value > MAX_VALUE_REPEAT || length > MAX_INPUT_BYTES) continue
    const target = textOf(columns.to, 20 * index, 20)
    add('repeat', `${value}:${target}${textOf(columns.inputs, start, length)}`, index)
    if (length === 0 && value > 0 && value <= MAX_VALUE_SPRAY) add('spray', `${value}`, index)
  }
  return groups.values()
}

/** Bytes as a string of as many characters: the cheapest that compares. */
function textOf(column: Uint8Array, start: number, length: number): string {
  return Buffer.from(column.buffer, column.byteOffset + start, length).toString('latin1')
}

/** 16 hex digits: the same for equal calls of one sender. */
function keyOf(
  columns: TransactionColumns,
  index: number,
  form: SpamEvidence['form'],
  equal: string,
): string {
  const sender = columns.senders.subarray(20 * index, 20 * index + 20)
  return createHash('sha256')
    .update(sender)
    .update(`${form}:`)
    .update(equal, 'latin1')
    .digest('hex')
    .slice(0, 16)
}

function toFinding(
  columns: TransactionColumns,
  form: SpamEvidence['form'],
  indexes: readonly number[],
  inWindow: number,
  windowBlocks: number,
): Finding {
  const [first] = indexes
  const sender = senderOf(columns, first!)
  const to = form === 'spray' ? null : toOf(columns, first!)
  const selector = selectorOf(columns, first!)
  const value = `${smallValueOf(columns, first!)}`
  const inputBytes = inputOf(columns, first!).length
  const inBlock = indexes.length
  const risk = clampRisk(15 + Math.min(45, inWindow / 4))
  const what =
    form === 'spray'
      ? `the same ${value} wei to ${inBlock} accounts`
      : `${inBlock} equal calls of ${selector} to ${to} with ${value} wei and ${inputBytes} bytes`
  return {
    kind: 'spam',
    rule: { name: 'many tiny equal calls of one sender', version: 1 },
    impact: impactOf(risk),
    risk,
    summary: `${sender} sent ${what}, ${inWindow} such in the last ${windowBlocks} blocks.`,
    recommendation: {
      action: 'blockSuspiciousActivity',
      text: 'Leave transactions of this sender out of statistics, and rate-limit it where it comes in.',
    },
    transactions: refsOf(columns, indexes),
    evidence: { form, sender, to, selector, value, inputBytes, inBlock, inWindow, windowBlocks },
  }
}
