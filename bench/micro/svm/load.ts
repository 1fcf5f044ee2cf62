/**
 * How long until an executor with many stored accounts is ready, and what undoing 64 blocks takes.
 *
 *   node bench/micro/svm/load.ts [accounts]
 */
import { createHash } from 'node:crypto'
import pino from 'pino'
import { encodeAccount, plainAccount } from '../../../sidecar/svm/accountValue.ts'
import { createLatticeHash } from '../../../sidecar/svm/latticeHash.ts'
import { createLiteSvmExecutor } from '../../../sidecar/svm/liteSvmExecutor.ts'

const ACCOUNTS = Number(process.argv[2] ?? 100_000)
const logger = pino({ level: 'silent' })

const rows = Array.from({ length: ACCOUNTS }, (_, index) => ({
  key: new Uint8Array(createHash('sha256').update(`${index}`).digest()),
  value: encodeAccount({ ...plainAccount, lamports: BigInt(index + 1) }),
}))
const lattice = await createLatticeHash()
const hashing = performance.now()
for (const { key, value } of rows) lattice.addAccount(key, value)
const hashed = performance.now() - hashing
const stored = [{ key: Buffer.from('lattice'), value: lattice.bytes() }]

const times: number[] = []
for (let round = 0; round < 5; round++) {
  const started = performance.now()
  const executor = await createLiteSvmExecutor(
    { undoDepth: 64, worker: false },
    {
      logger,
      state: { rows: (table) => (table === 'account' ? rows : stored), recentBlocks: [], signatures: [] },
    },
  )
  times.push(performance.now() - started)
  executor.close()
}
const median = times.toSorted((a, b) => a - b)[2] ?? Number.NaN
console.log(`${ACCOUNTS} accounts: ready in ${median.toFixed(0)} ms (median of 5)`)
console.log(`hashing all of them anew: ${hashed.toFixed(0)} ms`)
