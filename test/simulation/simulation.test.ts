import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'
import { createMetrics } from '../../sidecar/metrics.ts'
import { simulationOptions } from '../support/simulation/options.ts'
import { noFacts, type RunFacts, runInProcess } from '../support/simulation/runInProcess.ts'
import { runOverWire } from '../support/simulation/runOverWire.ts'

/**
 * For any sequence of notifications, faults and restarts within the kept undo, the state equals that of a fresh run over
 * the canonical chain. Most runs feed the pipeline by hand and write vectors to Maps; one of fifty writes to LanceDB,
 * and one of fifty is the composition root over real gRPC with LanceDB: each of those costs as much as ten others.
 */
const { runs, seed: first } = simulationOptions
const metrics = createMetrics()
const sum: RunFacts = { ...noFacts }
let done = 0

/**
 * Where runs keep their files: in memory where the system has a folder for that. A kill is a copy of the files here, so
 * waiting for a disk, two thirds of the time otherwise, shows nothing.
 */
const root = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

const kindOf = (seed: number) => (seed % 50 === 7 ? 'wire' : seed % 50 === 13 ? 'lancedb' : 'memory')

describe('state equals that of a fresh run over the canonical chain', () => {
  for (let seed = first; seed < first + runs; seed++) {
    const kind = kindOf(seed)
    test(`seed ${seed} (${kind})`, async () => {
      const directory = await mkdtemp(join(kind === 'memory' ? root : tmpdir(), 'monmouth-simulation-'))
      try {
        const facts =
          kind === 'wire'
            ? await runOverWire({ seed, directory })
            : await runInProcess({ seed, directory, vector: kind }, { metrics })
        for (const name of Object.keys(sum) as (keyof RunFacts)[]) sum[name] += facts[name]
      } catch (cause) {
        const repeat = `npm run test:simulation -- --runs 1 --seed ${seed} simulation.test`
        throw new Error(`${(cause as Error).message}\nTo repeat it: ${repeat}`, { cause })
      } finally {
        if (++done % 25 === 0)
          console.log(`${done} of ${runs} runs after ${Math.round(performance.now() / 1000)} s`)
        // A run that failed may still be writing there: what it failed with is what is to be told.
        await rm(directory, { recursive: true, force: true, maxRetries: 10 })
      }
    })
  }

  afterAll(() => {
    console.log(`simulation of ${runs} runs from seed ${first}: ${JSON.stringify(sum)}`)
  })
})
