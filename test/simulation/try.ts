import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMetrics } from '../../sidecar/metrics.ts'
import { runInProcess } from '../support/simulation/runInProcess.ts'
import { runOverWire } from '../support/simulation/runOverWire.ts'
const metrics = createMetrics()
const [from, to, kind] = process.argv.slice(2)
let failed = 0
for (let seed = Number(from); seed <= Number(to); seed++) {
  const directory = mkdtempSync(join(tmpdir(), 'sim-'))
  const t = performance.now()
  try {
    const facts = kind === 'wire' ? await runOverWire({ seed, directory }) : await runInProcess({ seed, directory, vector: (kind ?? 'memory') as 'memory' }, { metrics })
    console.log(seed, Math.round(performance.now() - t), JSON.stringify(facts))
  } catch (e) {
    failed++
    console.log(seed, Math.round(performance.now() - t), 'FAILED', (e as Error).stack?.slice(0, 1800))
  }
  rmSync(directory, { recursive: true, force: true })
}
console.log({ failed })
process.exit(0)
