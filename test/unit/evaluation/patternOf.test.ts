import { expect, test } from 'vitest'
import { patternOf } from '../../../sidecar/evaluation/patternOf.ts'
import { blockFromJson } from '../../../sidecar/exex/jsonrpc/toBlock.ts'
import { blockJson } from './support/recordedChain.ts'

test('contract and selector name a pattern; plain transfers are one, creations differ by their code', () => {
  const calls = Array.from({ length: 6 }, (_, row) => ({ contract: row < 2 ? 1 : row, succeeded: true }))
  const { block, receipts } = blockJson(1, calls)
  const rows = block.transactions as Record<string, unknown>[]
  rows[2]!.input = '0x'
  rows[3]!.input = '0x'
  rows[4]!.to = null
  rows[5]!.to = null
  rows[5]!.input = '0x6080604052'
  const decoded = blockFromJson(block, receipts)
  const patterns = calls.map((_, row) => patternOf(decoded, row, undefined))
  const contract = '1'.padStart(40, '0')
  expect(patterns).toEqual([
    `${contract} 00000001`,
    `${contract} 00000001`,
    'transfer',
    'transfer',
    'creation 00000001',
    'creation 60806040',
  ])
})

test('an envelope goes by its program, whatever contract carries it', () => {
  const { block, receipts } = blockJson(1, [{ contract: 1, succeeded: true }])
  const facts = {
    kind: 'transactions',
    rejected: undefined,
    pattern: new Uint8Array(24).fill(7),
    programs: [],
    payloadBytes: 1,
    items: 1,
  } as const
  expect(patternOf(blockFromJson(block, receipts), 0, facts)).toBe(`envelope ${'07'.repeat(24)}`)
})
