/**
 * What looking at a block costs: `node bench/micro/findings/bench.ts [BLOCKS]`, a recording with its receipts beside it. Prints
 * one line of JSON per load: recorded blocks with their logs, over and over with the memory full, and blocks made to cost most.
 * Processor time per transaction, times of a block in ms, and what a block leaves in the state.
 */

import { createHash } from 'node:crypto'
import type { Hash } from 'viem'
import { buildBlock } from '../../../harness/feed/index.ts'
import { openRecording } from '../../../harness/replay/openRecording.ts'
import { blockFromJson } from '../../../sidecar/exex/jsonrpc/toBlock.ts'
import { createFindings } from '../../../sidecar/findings/createFindings.ts'
import type { Block } from '../../../sidecar/notification/types.ts'
import { account, swapV2 } from '../../../test/unit/findings/events.ts'

const file = process.argv[2] ?? '../shared/data/ethereum/blocks.jsonl.gz'
const window = 64
const hashOf = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`

/** Looks at the blocks in turn until so many were looked at with the memory full. */
function measure(load: string, blocks: readonly Block[], measured: number): void {
  const findings = createFindings({ window, keep: 1024 }, { rows: () => [] })
  const times: number[] = []
  let [transactions, bytes, found, start] = [0, 0, 0, process.cpuUsage()]
  for (let i = 1; i <= window + measured; i++) {
    if (i === window + 1) [transactions, bytes, found, start] = [0, 0, 0, process.cpuUsage()]
    const [ref, parent] = [i, i - 1].map((number) => ({ number: BigInt(number), hash: hashOf(number) }))
    const block = { ...blocks[i % blocks.length]!, ref: ref!, parent: parent! }
    const started = performance.now()
    const { findings: told, writes } = findings.apply(block)
    if (i > window) times.push(performance.now() - started)
    transactions += block.transactions.count
    found += told.length
    for (const { after } of writes) bytes += after?.length ?? 0
  }
  const { user, system } = process.cpuUsage(start)
  const at = (part: number) =>
    Number(times.sort((a, b) => a - b)[Math.floor(part * times.length)]!.toFixed(3))
  console.log(
    JSON.stringify({
      ...{ load, blocks: measured, transactionsPerBlock: Math.round(transactions / measured) },
      cpuMicrosPerTransaction: Number(((user + system) / transactions).toFixed(2)),
      ...{ p50Ms: at(0.5), p99Ms: at(0.99), bytesPerBlock: Math.round(bytes / measured), findings: found },
    }),
  )
}

const name = (text: string) => account(createHash('sha256').update(text).digest('hex'))
const made = (transactions: Parameters<typeof buildBlock>[0]['transactions']) =>
  buildBlock({ parent: { number: 0n, hash: hashOf(0) }, transactions, timestamp: 1n })

const recorded: Block[] = []
for await (const block of openRecording([file], blockFromJson).blocks(0)) recorded.push(block)
const withLogs = recorded.filter(({ transactions }) => transactions.logs.length > 0)
measure('recorded, with logs', withLogs, 2_000)
measure(
  'recorded, without logs',
  recorded.filter((block) => !withLogs.includes(block)),
  2_000,
)

// As much as 36 million gas allows, about.
const calls = Array.from({ length: 1_500 }, (_, i) => i)
measure(
  'three equal calls of each of 500 senders, all failing',
  [
    made(
      calls.map((i) => ({
        from: name(`${i % 500}`),
        to: name(`to ${i % 500}`),
        input: '0x12345678',
        status: 'failed',
      })),
    ),
  ],
  50,
)
measure(
  'payments of 1500 people',
  [made(calls.map((i) => ({ from: name(`payer ${i}`), to: name(`payee ${i}`), value: 10n ** 18n })))],
  50,
)
const swaps = (pools: number) =>
  made(
    calls.slice(0, 280).map((i) => ({
      from: name(`trader ${i % 140}`),
      logs: Array.from({ length: 16 }, (_, j) =>
        swapV2({
          ...{ pool: name(`pool ${(i * 16 + j) % pools}`), payer: name(`trader ${i % 140}`) },
          ...{ tokenIn: name('a'), tokenOut: name('b'), recipient: name(`trader ${i % 140}`) },
          ...{ amountIn: 1_000n, amountOut: 1_000n },
        }),
      ).flat(),
    })),
  )
measure('4480 swaps in one pool', [swaps(1)], 20)
measure('4480 swaps in 18 pools', [swaps(18)], 20)
