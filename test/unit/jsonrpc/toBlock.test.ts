import {
  concatHex,
  formatLog,
  formatTransaction,
  formatTransactionReceipt,
  getAddress,
  hexToBigInt,
  numberToHex,
  pad,
  size,
  slice,
  toHex,
} from 'viem'
import { describe, expect, test } from 'vitest'
import { ChainMovedError, MalformedAnswerError } from '../../../sidecar/exex/jsonrpc/errors.ts'
import { blockFromJson } from '../../../sidecar/exex/jsonrpc/toBlock.ts'
import { CONTRACT_CREATION, EvmStatus, type TransactionColumns } from '../../../sidecar/notification/types.ts'
import {
  hasRecordedBlocks,
  type RecordedJson,
  type RecordedReceipts,
  readRecorded,
  recordedFolder,
} from './recordedBlocks.ts'

const hash = (byte: string): `0x${string}` => `0x${byte.repeat(32)}`
const address = (byte: string): `0x${string}` => `0x${byte.repeat(20)}`

const transaction = (fields: object = {}): RecordedJson => ({
  hash: hash('a1'),
  from: address('0f'),
  to: address('70'),
  type: '0x2',
  nonce: '0x7',
  value: '0xde0b6b3a7640000',
  gas: '0x5208',
  gasPrice: '0x1',
  maxFeePerGas: '0x77359400',
  input: '0x',
  ...fields,
})
const block = (fields: object = {}): RecordedJson => ({
  number: '0x10',
  hash: hash('bb'),
  parentHash: hash('aa'),
  timestamp: '0x65',
  gasLimit: '0x1c9c380',
  gasUsed: '0x5208',
  baseFeePerGas: '0x7',
  transactions: [transaction()],
  ...fields,
})
const receipt = (fields: object = {}): RecordedJson => ({
  blockHash: hash('bb'),
  transactionHash: hash('a1'),
  status: '0x1',
  gasUsed: '0x5208',
  logs: [],
  ...fields,
})
const only = (fields: object, receiptFields?: object) =>
  blockFromJson(
    block({ transactions: [transaction(fields)] }),
    receiptFields === undefined ? undefined : [receipt(receiptFields)],
  ).transactions

/** Row `index` of a column of fixed width, as hex. */
const cell = (column: Uint8Array, index: number, width: number) =>
  toHex(column.subarray(index * width, (index + 1) * width))
const span = (bytes: Uint8Array, ends: Uint32Array, index: number) =>
  toHex(bytes.subarray(index === 0 ? 0 : ends[index - 1], ends[index]))
const littleEndian = (column: Uint8Array, index: number) =>
  new DataView(column.buffer, column.byteOffset + 8 * index, 8).getBigUint64(0, true)
const atMost = (value: bigint, limit: bigint) => (value < limit ? value : limit)

describe.skipIf(!hasRecordedBlocks)(`recorded mainnet blocks in ${recordedFolder}`, () => {
  const blocks = hasRecordedBlocks ? readRecorded<RecordedJson>('blocks.jsonl.gz') : []
  const receiptsByHash = new Map(
    (hasRecordedBlocks ? readRecorded<RecordedReceipts>('receipts.jsonl.gz') : []).map((entry) => [
      entry.hash,
      entry,
    ]),
  )

  test('there are 80 blocks, 35 of them with receipts', () => {
    expect(blocks).toHaveLength(80)
    expect(blocks.filter((json) => receiptsByHash.has(json.hash))).toHaveLength(35)
  })

  test('every field of every transaction is what viem reads from the same JSON', () => {
    let rows = 0
    for (const json of blocks) {
      const recorded = receiptsByHash.get(json.hash)
      const { ref, parent, timestamp, gasLimit, gasUsed, baseFeePerGas, transactions } = blockFromJson(
        json,
        recorded?.receipts,
      )
      expect({ ref, parentHash: parent.hash, timestamp, gasLimit, gasUsed, baseFeePerGas }).toEqual({
        ref: { number: hexToBigInt(json.number), hash: json.hash },
        parentHash: json.parentHash,
        timestamp: hexToBigInt(json.timestamp),
        gasLimit: hexToBigInt(json.gasLimit),
        gasUsed: hexToBigInt(json.gasUsed),
        baseFeePerGas: json.baseFeePerGas ? hexToBigInt(json.baseFeePerGas) : undefined,
      })
      expect(transactions.count, json.hash).toBe(json.transactions.length)
      for (const [index, row] of json.transactions.entries())
        expectRow(transactions, index, row, recorded?.receipts[index])
      rows += transactions.count
    }
    expect(rows).toBe(21_422)
  })

  test('statuses before Byzantium are unknown, or what the caller derived', () => {
    const derived = [...receiptsByHash.values()].filter((entry) => entry.derivedStatus !== undefined)
    expect(derived.length).toBeGreaterThan(0)
    for (const { hash: blockHash, receipts, derivedStatus } of derived) {
      const json = blocks.find((candidate) => candidate.hash === blockHash)
      const plain = blockFromJson(json, receipts).transactions.statuses
      expect(new Set(plain), blockHash).toEqual(new Set(receipts.length === 0 ? [] : [EvmStatus.unknown]))
      const known = blockFromJson(json, receipts, { derivedStatus }).transactions.statuses
      expect([...known], blockHash).toEqual(
        receipts.map((entry) => Number(derivedStatus?.[entry.transactionHash])),
      )
    }
  })

  function expectRow(
    columns: TransactionColumns,
    index: number,
    row: RecordedJson,
    json: RecordedJson,
  ): void {
    const formatted = formatTransaction(row)
    const price = formatted.maxFeePerGas ?? formatted.gasPrice
    const actual = {
      hash: cell(columns.hashes, index, 32),
      from: cell(columns.senders, index, 20),
      to: cell(columns.to, index, 20),
      kind: columns.kinds[index],
      status: columns.statuses[index],
      selector: cell(columns.selectors, index, 4),
      value: hexToBigInt(cell(columns.values, index, 32)),
      nonce: littleEndian(columns.nonces, index),
      gasLimit: columns.gasLimits[index],
      gasUsed: columns.gasUsed[index],
      price: littleEndian(columns.gasPrices, index),
      input: span(columns.inputs, columns.inputEnds, index),
      logs: span(columns.logs, columns.logEnds, index),
    }
    const receiptOf = json && formatTransactionReceipt(json)
    expect(actual, row.hash).toEqual({
      hash: row.hash,
      from: row.from.toLowerCase(),
      to: (formatted.to ?? address('00')).toLowerCase(),
      kind: Number(row.type ?? 0) | (formatted.to ? 0 : CONTRACT_CREATION),
      status:
        { success: EvmStatus.succeeded, reverted: EvmStatus.failed }[String(receiptOf?.status)] ??
        EvmStatus.unknown,
      selector: size(row.input) >= 4 ? slice(row.input, 0, 4) : pad(row.input, { dir: 'right', size: 4 }),
      value: formatted.value,
      nonce: BigInt(formatted.nonce),
      gasLimit: Number(atMost(formatted.gas, 0xffff_ffffn)),
      gasUsed: Number(receiptOf?.gasUsed ?? 0n),
      price: atMost(price ?? 0n, 2n ** 64n - 1n),
      input: row.input,
      logs: concatHex((json?.logs ?? []).map(encodedLog)),
    })
  }
})

/** The layout of one log as the wire documents it, by viem's own means. */
function encodedLog(json: RecordedJson): `0x${string}` {
  const { address: emitter, topics, data } = formatLog(json)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(size(data))
  return concatHex([
    getAddress(emitter).toLowerCase() as `0x${string}`,
    numberToHex(topics.length, { size: 1 }),
    ...topics,
    toHex(length),
    data,
  ])
}

describe('transactions', () => {
  test('without receipts every status is unknown, gas used 0, and there are no logs', () => {
    const columns = only({})
    expect([columns.statuses[0], columns.gasUsed[0], columns.logEnds[0], columns.logs.length]).toEqual([
      EvmStatus.unknown,
      0,
      0,
      0,
    ])
  })

  test.each([
    ['0x0', 0],
    ['0x1', 1],
    ['0x2', 2],
    ['0x3', 3],
    ['0x4', 4],
    ['0x7e', 0x7e],
    ['0x55', 0x55],
    [undefined, 0],
  ])('type %s is kept as %i', (type, kind) => {
    expect(only({ type }).kinds[0]).toBe(kind)
  })

  test.each([[null], [undefined], ['0x']])('a transaction to %j creates a contract', (to) => {
    const columns = only({ to, type: '0x2' })
    expect(columns.kinds[0]).toBe(2 | CONTRACT_CREATION)
    expect(cell(columns.to, 0, 20)).toBe(address('00'))
  })

  test('a rollup deposit without any price has price 0; an Ethereum transaction without one is refused', () => {
    const none = { gasPrice: undefined, maxFeePerGas: undefined }
    expect(littleEndian(only({ ...none, type: '0x7e' }).gasPrices, 0)).toBe(0n)
    expect(() => only({ ...none, type: '0x2' })).toThrow(/transactions\[0\]\.gasPrice/)
  })

  test('gas is saturated at 32 bits, prices at 64', () => {
    const columns = only(
      { gas: '0x1ffffffffffff', maxFeePerGas: '0x10000000000000000' },
      { gasUsed: '0x100000000' },
    )
    expect([columns.gasLimits[0], columns.gasUsed[0]]).toEqual([0xffff_ffff, 0xffff_ffff])
    expect(littleEndian(columns.gasPrices, 0)).toBe(2n ** 64n - 1n)
    expect(only({ gas: '0xffffffff' }).gasLimits[0]).toBe(0xffff_ffff)
  })

  test('the largest value and nonce fit, leading zeros and upper case are read', () => {
    const columns = only({
      value: `0x${'F'.repeat(64)}`,
      nonce: `0x0000${'f'.repeat(16)}`,
      input: '0xABCDEF',
    })
    expect(hexToBigInt(cell(columns.values, 0, 32))).toBe(2n ** 256n - 1n)
    expect(littleEndian(columns.nonces, 0)).toBe(2n ** 64n - 1n)
    expect(cell(columns.selectors, 0, 4)).toBe('0xabcdef00')
  })

  test('genesis has no number below it', () => {
    expect(blockFromJson(block({ number: '0x0', transactions: [] }), []).parent).toEqual({
      number: 0n,
      hash: hash('aa'),
    })
  })
})

describe('what is refused', () => {
  const long = `0x${'00'.repeat(100)}`
  const cases: [string, RecordedJson, RecordedJson[] | undefined, string][] = [
    ['no block', null, undefined, 'block'],
    ['a list', [], undefined, 'block'],
    ['no number', block({ number: undefined }), undefined, 'number'],
    ['an empty quantity', block({ timestamp: '0x' }), undefined, 'timestamp'],
    ['a decimal number', block({ gasUsed: 21000 }), undefined, 'gasUsed'],
    ['a short hash', block({ hash: '0xbb' }), undefined, 'hash'],
    ['transactions by hash only', block({ transactions: [hash('a1')] }), undefined, 'transactions[0]'],
    ['no transactions', block({ transactions: undefined }), undefined, 'transactions'],
    [
      'a bad digit in an address',
      tx({ from: `${address('0f').slice(0, -1)}g` }),
      undefined,
      'transactions[0].from',
    ],
    ['a bad high digit', tx({ from: `0xg${address('0f').slice(3)}` }), undefined, 'transactions[0].from'],
    ['a digit beyond ASCII', tx({ from: `0xİ${address('0f').slice(3)}` }), undefined, 'transactions[0].from'],
    ['a bad quantity', tx({ value: '0x1z' }), undefined, 'transactions[0].value'],
    ['a quantity beyond ASCII', tx({ nonce: '0xı' }), undefined, 'transactions[0].nonce'],
    ['a value of 33 bytes', tx({ value: `0x1${'0'.repeat(64)}` }), undefined, 'transactions[0].value'],
    ['a nonce of 9 bytes', tx({ nonce: `0x1${'0'.repeat(16)}` }), undefined, 'transactions[0].nonce'],
    [
      'a bad saturated price',
      tx({ maxFeePerGas: `0xg${'0'.repeat(16)}` }),
      undefined,
      'transactions[0].maxFeePerGas',
    ],
    ['a bad gas', tx({ gas: '0x52q8' }), undefined, 'transactions[0].gas'],
    ['half a byte of input', tx({ input: '0xabc' }), undefined, 'transactions[0].input'],
    ['no input', tx({ input: undefined }), undefined, 'transactions[0].input'],
    [
      'a bad digit in a long input',
      tx({ input: `${long.slice(0, 150)}zz${long.slice(152)}` }),
      undefined,
      'transactions[0].input',
    ],
    [
      'a long input beyond ASCII',
      tx({ input: `${long.slice(0, 150)}İİ${long.slice(152)}` }),
      undefined,
      'transactions[0].input',
    ],
    ['a status of 2', block(), [receipt({ status: '0x2' })], 'receipts[0].status'],
    ['a receipt that is null', block(), [null], 'receipts[0]'],
    ['no logs', block(), [receipt({ logs: null })], 'receipts[0].logs'],
    ['a log without data', block(), [receipt({ logs: [log({ data: null })] })], 'receipts[0].logs[0].data'],
    [
      'five topics',
      block(),
      [receipt({ logs: [log({ topics: Array(5).fill(hash('01')) })] })],
      'receipts[0].logs[0].topics',
    ],
    ['a short topic', block(), [receipt({ logs: [log({ topics: ['0x01'] })] })], 'receipts[0].logs.topics'],
  ]
  function tx(fields: object): RecordedJson {
    return block({ transactions: [transaction(fields)] })
  }
  function log(fields: object): RecordedJson {
    return { address: address('11'), topics: [], data: '0x', ...fields }
  }

  test.each(cases)('%s, naming field and block', (_name, json, receipts, field) => {
    const refuse = () => blockFromJson(json, receipts)
    expect(refuse).toThrow(MalformedAnswerError)
    expect(refuse).toThrow(expect.objectContaining({ field }))
  })

  test('the message says which block and what came', () => {
    expect(() => blockFromJson(tx({ value: '0x1z' }), undefined)).toThrow(
      `transactions[0].value of block 16 ${hash('bb')}: expected a hex quantity, got '0x1z'.`,
    )
  })
})

describe('receipts of another chain', () => {
  test.each([
    ['of another block', [receipt({ blockHash: hash('cc') })]],
    ['of another transaction', [receipt({ transactionHash: hash('cc') })]],
    ['of another count', []],
  ])('receipts %s say that the chain moved', (_name, receipts) => {
    expect(() => blockFromJson(block(), receipts)).toThrow(ChainMovedError)
  })

  test('hashes are compared without regard to case', () => {
    const upper = `0x${'BB'.repeat(32)}`
    expect(blockFromJson(block(), [receipt({ blockHash: upper })]).transactions.statuses[0]).toBe(
      EvmStatus.succeeded,
    )
  })
})
