import { Account, FailedTransactionMetadata, LiteSvm } from 'litesvm/dist/internal.js'
import { chainOfTransfers } from '../micro/svm/chainOfTransfers.ts'
import { openLocalStages, temporaryFolder } from './localStages.ts'
import type { BenchRow } from './main.ts'
import { median } from './median.ts'

const TRANSFERS = 4_000
const ROUNDS = 5

/** SVM execution against its limit, in turns in one process: medians of the rounds, and of their ratios. */
export async function measureExecute(): Promise<BenchRow> {
  const { funding, blocks, transfers } = chainOfTransfers(TRANSFERS, 200)
  await using folder = await temporaryFolder()
  const stages = await openLocalStages(folder.path)
  await stages.apply(funding, 50)

  const raw = new LiteSvm()
  raw.setBlockhashCheck(false)
  raw.setTransactionHistory(0n)
  const none = new Uint8Array(0)
  const system = new Uint8Array(32)
  const funded = new Account(10n ** 10n, none, system, false, 2n ** 64n - 1n)
  const empty = new Account(0n, none, system, false, 0n)

  const runRaw = (): number => {
    for (const { from, to } of transfers) {
      raw.setAccount(from, funded)
      raw.setAccount(to, empty)
    }
    const started = performance.now()
    for (const { bytes } of transfers) {
      if (raw.sendLegacyTransaction(bytes) instanceof FailedTransactionMetadata) {
        throw new Error('a raw transfer failed')
      }
    }
    return performance.now() - started
  }
  const runOurs = async (): Promise<number> => {
    const started = performance.now()
    await stages.apply(blocks, 10)
    const ms = performance.now() - started
    stages.undo(blocks.map((block) => block.ref).reverse(), blocks[0]!.parent)
    return ms
  }
  runRaw()
  await runOurs()
  const rawMs: number[] = []
  const ourMs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    rawMs.push(runRaw())
    ourMs.push(await runOurs())
  }
  const { executed } = stages.store.progress().totals
  if (executed !== 0) throw new Error(`${executed} transfers left after the undo`)
  await stages.close()
  const rate = (ms: number) => Math.round((TRANSFERS * 1000) / ms)
  return {
    'raw LiteSVM tx/s': rate(median(rawMs)),
    'ours, durable tx/s': rate(median(ourMs)),
    ratio: median(rawMs.map((ms, i) => ms / ourMs[i]!)).toFixed(2),
  }
}
