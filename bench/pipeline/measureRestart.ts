import { createHash } from 'node:crypto'
import type { Block } from '../../sidecar/notification/types.ts'
import { buildBlock, envelopeRow } from './buildBlock.ts'
import { config, genesis, openLocalStages, temporaryFolder } from './localStages.ts'
import type { BenchRow } from './main.ts'
import { median } from './median.ts'

const ACCOUNTS = 100_000
const PER_BLOCK = 500

/** From nothing open to stages that can take the next block, at 100 000 accounts; the process itself starts before. */
export async function measureRestart(): Promise<BenchRow> {
  await using folder = await temporaryFolder()
  const first = await openLocalStages(folder.path)
  let parent = genesis
  for (let number = 0; number < ACCOUNTS / PER_BLOCK; number++) {
    const rows = Array.from({ length: PER_BLOCK }, (_, i) => {
      const pubkey = createHash('sha256').update(`account ${number} ${i}`).digest()
      const payload = Buffer.concat([Uint8Array.of(0x81), pubkey])
      return envelopeRow(config.svm.router, payload, 10n ** 18n, `deposit ${number} ${i}`)
    })
    const block: Block = buildBlock(parent, rows)
    await first.apply([block], 1)
    parent = block.ref
  }
  const { accounts } = first.store.progress().totals
  await first.close()
  const openMs: number[] = []
  for (let round = 0; round < 5; round++) {
    const started = performance.now()
    const again = await openLocalStages(folder.path)
    openMs.push(performance.now() - started)
    await again.close()
  }
  return { accounts, 'open p50 ms': median(openMs).toFixed(0), 'open max ms': Math.max(...openMs).toFixed(0) }
}
