import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../../harness/random.ts'
import type { BlockFacts } from '../../../sidecar/findings/blockFacts.ts'
import { createFindings, type FindingsOptions } from '../../../sidecar/findings/createFindings.ts'
import { decodeFacts } from '../../../sidecar/findings/factsCodec.ts'
import { findInBlock } from '../../../sidecar/findings/findInBlock.ts'
import { decodeFindings, readRowKey } from '../../../sidecar/findings/findingRows.ts'
import { createMemory } from '../../../sidecar/findings/memory.ts'
import type { Finding } from '../../../sidecar/findings/types.ts'
import type { StateWrite } from '../../../sidecar/notification/stateWrite.ts'
import type { Block } from '../../../sidecar/notification/types.ts'
import { account, blockOf, genesis } from './events.ts'
import { randomTransactions } from './traffic.ts'

/** The table as the store keeps it, with the undo of every block. */
function createTable() {
  const rows = new Map<string, Uint8Array>()
  const nameOf = (key: Uint8Array) => Buffer.from(key).toString('hex')
  return {
    rows: () => [...rows].map(([name, value]) => ({ key: Buffer.from(name, 'hex'), value })),
    apply(writes: readonly StateWrite[]) {
      for (const { key, before, after } of writes) {
        expect(rows.get(nameOf(key)), 'the pre-image is what was there').toEqual(
          before && Buffer.from(before),
        )
        if (after === undefined) rows.delete(nameOf(key))
        else rows.set(nameOf(key), Buffer.from(after))
      }
    },
    undo(writes: readonly StateWrite[]) {
      for (const { key, before } of writes.toReversed()) {
        if (before === undefined) rows.delete(nameOf(key))
        else rows.set(nameOf(key), Buffer.from(before))
      }
    },
    contents: () =>
      Object.fromEntries([...rows].sort().map(([name, value]) => [name, Buffer.from(value).toString('hex')])),
  }
}

/** A fresh run over a chain: no undo, no restart, and no memory but what the window of blocks gives. */
function freshRun(blocks: readonly Block[], options: FindingsOptions) {
  const table = createTable()
  const findings = createFindings(options, table)
  const facts: BlockFacts[] = []
  const told = blocks.map((block) => {
    const { findings: found, writes } = findings.apply(block)
    table.apply(writes)
    const memory = writes.find(({ key, after }) => after && readRowKey(key).kind === 'memory')!
    facts.push(decodeFacts(memory.after!)!)
    return found
  })
  return { contents: table.contents(), told, facts }
}

describe('findings follow the chain', () => {
  const options = fc.record({ window: fc.integer({ min: 1, max: 9 }), keep: fc.integer({ min: 1, max: 9 }) })
  const step = fc.oneof(
    { arbitrary: fc.record({ apply: fc.integer({ min: 1, max: 4 }) }), weight: 5 },
    { arbitrary: fc.record({ undo: fc.integer({ min: 1, max: 12 }) }), weight: 3 },
    { arbitrary: fc.constant('restart' as const), weight: 2 },
  )

  test('any blocks applied, undone and started anew upon end as a fresh run over what is left', () => {
    let seen = 0
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 25 }), fc.nat(), (given, steps, seed) => {
        const random = createRandom(seed, 'blocks')
        const table = createTable()
        let findings = createFindings(given, table)
        const chain: { block: Block; writes: readonly StateWrite[]; told: readonly Finding[] }[] = []
        let salt = 0
        for (const each of steps) {
          if (each === 'restart') findings = createFindings(given, table)
          else if ('undo' in each) {
            const undone = chain.splice(Math.max(0, chain.length - each.undo)).reverse()
            for (const { writes } of undone) table.undo(writes)
            findings.undo(undone)
          } else {
            for (let i = 0; i < each.apply; i++) {
              const parent = chain.at(-1)?.block.ref ?? genesis
              const block = blockOf(randomTransactions(random), parent, `${salt++}`)
              const { findings: told, writes } = findings.apply(block)
              table.apply(writes)
              chain.push({ block, writes, told })
              seen += told.length
            }
          }
        }
        const fresh = freshRun(
          chain.map(({ block }) => block),
          given,
        )
        expect(table.contents()).toEqual(fresh.contents)
        expect(chain.map(({ told }) => told)).toEqual(fresh.told)
      }),
      { numRuns: 300 },
    )
    // A run that notices nothing would show nothing.
    expect(seen).toBeGreaterThan(1_000)
  })

  test('a block is compared with the window before it, and no more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(), (window, seed) => {
        const random = createRandom(seed, 'blocks')
        const blocks: Block[] = []
        for (let i = 0; i < 12; i++)
          blocks.push(blockOf(randomTransactions(random), blocks.at(-1)?.ref ?? genesis))
        const { told, facts } = freshRun(blocks, { window, keep: 100 })
        for (const [i, block] of blocks.entries()) {
          const memory = createMemory()
          for (const each of facts.slice(Math.max(0, i - window), i)) memory.add(each)
          expect(told[i], `block ${i}`).toEqual(findInBlock(block, memory).findings)
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('rows', () => {
  const call = { from: account('spammer'), to: account('target'), input: '0x1249c58b' } as const
  const spam = Array.from({ length: 12 }, () => call)

  test('findings of a block are kept as long as said, those of others not at all', () => {
    const table = createTable()
    const findings = createFindings({ window: 2, keep: 3 }, table)
    let parent = genesis
    for (let i = 0; i < 8; i++) {
      const block = blockOf(i === 6 ? [{}] : spam, parent)
      table.apply(findings.apply(block).writes)
      parent = block.ref
    }
    const rows = table.rows().map(({ key, value }) => ({ ...readRowKey(key), value }))
    const numbers = (kind: string) =>
      rows.filter((row) => row.kind === kind).map(({ number }) => Number(number))
    expect(numbers('memory').sort()).toEqual([1_006, 1_007, 1_008])
    expect(numbers('found').sort()).toEqual([1_006, 1_008])
    const found = rows.find(({ kind, number }) => kind === 'found' && number === 1_008n)!
    expect(decodeFindings(found.value)).toMatchObject({ leftOut: 0, findings: [{ kind: 'spam' }] })
  })

  test('a hole in the memory drops what is before it, and its undo puts it back', () => {
    const table = createTable()
    const options = { window: 2, keep: 8 }
    const whole = createFindings(options, table)
    const first = blockOf(spam.slice(0, 3))
    const second = blockOf(spam.slice(0, 4), first.ref)
    for (const block of [first, second]) table.apply(whole.apply(block).writes)
    const before = table.contents()
    // Switched off for a block, and on again: seven calls before are not remembered with a hole between.
    const missed = blockOf([{}], second.ref)
    const findings = createFindings(options, table)
    const { findings: told, writes } = findings.apply(blockOf(spam.slice(0, 4), missed.ref))
    table.apply(writes)
    expect(told).toEqual([])
    expect(table.rows().map(({ key }) => readRowKey(key))).toEqual([{ kind: 'memory', number: 1_004n }])
    table.undo(writes)
    // Bytes that the store hands out are the store's.
    const lent = writes.map(({ before, ...write }) => ({
      ...write,
      before: before && new Uint8Array(before),
    }))
    findings.undo([{ writes: lent }])
    for (const { before } of lent) before?.fill(0)
    expect(table.contents()).toEqual(before)
    // And goes on from it, oldest first.
    const third = findings.apply(blockOf(spam.slice(0, 4), second.ref))
    table.apply(third.writes)
    expect(third.findings).toMatchObject([{ kind: 'spam', evidence: { inWindow: 11, windowBlocks: 3 } }])
    const remembered = () =>
      table
        .rows()
        .map(({ key }) => readRowKey(key))
        .flatMap(({ kind, number }) => (kind === 'memory' ? [Number(number)] : []))
        .sort()
    expect(remembered()).toEqual([1_001, 1_002, 1_003])
    const next = blockOf([{}], blockOf(spam.slice(0, 4), second.ref).ref)
    table.apply(findings.apply(next).writes)
    expect(remembered()).toEqual([1_002, 1_003, 1_004])
  })

  test('a sibling of the remembered tip is no parent', () => {
    const table = createTable()
    const findings = createFindings({ window: 8, keep: 8 }, table)
    table.apply(findings.apply(blockOf(spam.slice(0, 6))).writes)
    const sibling = blockOf([{}], genesis, 'sibling')
    expect(findings.apply(blockOf(spam.slice(0, 6), sibling.ref)).findings).toEqual([])
  })

  test('a memory that another release wrote is left alone, and goes as it ages', () => {
    const table = createTable()
    const options = { window: 8, keep: 8 }
    const first = blockOf(spam.slice(0, 6))
    const { writes } = createFindings(options, table).apply(first)
    table.apply(
      writes.map((write) => ({
        ...write,
        after: Uint8Array.from(write.after!, (byte, i) => (i === 0 ? 99 : byte)),
      })),
    )
    const findings = createFindings(options, table)
    const before = table.contents()
    const second = blockOf(spam.slice(0, 6), first.ref)
    const applied = findings.apply(second)
    expect(applied.findings, 'six calls and not twelve').toEqual([])
    table.apply(applied.writes)
    table.undo(applied.writes)
    findings.undo([applied])
    expect(table.contents()).toEqual(before)
  })
})
