import { expect, test } from 'vitest'
import { openTracedBlock } from '../../../sidecar/evaluation/tracedBlock.ts'
import { blockFromJson } from '../../../sidecar/exex/jsonrpc/toBlock.ts'
import { EvmStatus } from '../../../sidecar/notification/types.ts'
import { blockJson } from './support/recordedChain.ts'

const hash = (digit: string) => `0x${digit.repeat(64)}`
const address = (digit: string) => `0x${digit.repeat(40)}`
const transaction = {
  hash: hash('1'),
  calls: 3,
  depth: 2,
  creates: 0,
  from: address('a'),
  to: address('b'),
  input: '0xa9059cbb00',
  value: '0x5',
  gas: '0x5208',
  gasPrice: '0x7',
  gasUsed: '0x64',
  error: null,
  status: '0x1',
  kind: 'call',
}
const traced = {
  number: '0xcafa5d',
  hash: hash('f'),
  timestamp: null,
  baseFeePerGas: '0x12a28417f9',
  sourcePath: 'tests/blocks/13302365.json',
  receiptCount: 2,
  transactions: [
    transaction,
    { ...transaction, hash: hash('2'), status: '0x0', error: 'Reverted', gasPrice: null, gasUsed: null },
    { ...transaction, hash: hash('3'), to: null, kind: 'create', gasUsed: '0xffffffffffffffff' },
  ],
}

test('a traced block becomes a block whose transactions know how they ended', () => {
  const { block: json, receipts } = openTracedBlock(traced)!
  const { ref, transactions, gasLimit, gasUsed, timestamp } = blockFromJson(json, receipts)
  expect(ref).toEqual({ number: 13_302_365n, hash: hash('f') })
  expect([timestamp, gasLimit, gasUsed]).toEqual([0n, 0n, 0n])
  expect([...transactions.statuses]).toEqual([EvmStatus.succeeded, EvmStatus.failed, EvmStatus.succeeded])
  expect([...transactions.gasUsed]).toEqual([100, 0, 0])
  expect([...transactions.gasLimits]).toEqual([21_000, 21_000, 21_000])
  expect([...transactions.gasPrices.subarray(0, 16)]).toEqual([7, ...new Array(15).fill(0)])
  expect(Buffer.from(transactions.selectors.subarray(0, 4)).toString('hex')).toBe('a9059cbb')
  expect([...transactions.kinds]).toEqual([0, 0, 0x80])
})

test('no other block is taken for one', () => {
  expect(openTracedBlock(blockJson(1, [{ contract: 1, succeeded: true }]).block)).toBeUndefined()
  expect(openTracedBlock(null)).toBeUndefined()
  expect(openTracedBlock('block')).toBeUndefined()
})
