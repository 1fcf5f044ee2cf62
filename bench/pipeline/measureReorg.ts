import { chainOfTransfers } from '../micro/svm/chainOfTransfers.ts'
import { openLocalStages, temporaryFolder } from './localStages.ts'
import type { BenchRow } from './main.ts'
import { median } from './median.ts'

const DEPTH = 64
const TRANSFERS = 40

/** Undo of 64 durable blocks of 40 SVM transfers (what 200 transactions at a share of 20 % hold), made durable. */
export async function measureReorg(): Promise<BenchRow> {
  await using folder = await temporaryFolder()
  const stages = await openLocalStages(folder.path)
  const { funding, blocks } = chainOfTransfers(DEPTH * TRANSFERS, TRANSFERS)
  await stages.apply(funding, 50)
  await stages.apply(blocks, 10)
  const undoMs: number[] = []
  const applyMs: number[] = []
  for (let round = 0; round < 5; round++) {
    const started = performance.now()
    stages.undo(blocks.map((block) => block.ref).reverse(), blocks[0]!.parent)
    const undoneAt = performance.now()
    await stages.apply(blocks, 10)
    undoMs.push(undoneAt - started)
    applyMs.push(performance.now() - undoneAt)
  }
  await stages.close()
  return {
    blocks: DEPTH,
    'SVM transactions': DEPTH * TRANSFERS,
    'undo p50 ms': median(undoMs).toFixed(1),
    'undo max ms': Math.max(...undoMs).toFixed(1),
    'new branch tx/s': Math.round((DEPTH * TRANSFERS * 1000) / median(applyMs)),
  }
}
