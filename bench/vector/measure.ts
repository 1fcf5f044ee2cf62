import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { type MaintenanceEvent, openVectorStore, type VectorStore, type VectorStoreOptions } from '#vector'

const lines: { readonly what: string; readonly result: string }[] = []

/** Notes a result and shows it at once on stderr. */
export function report(what: string, result: string): void {
  lines.push({ what, result })
  console.error(`${what}: ${result}`)
}

/** Prints everything reported as a table, under the machine's name. */
export function printTable(): void {
  const width = Math.max(...lines.map((line) => line.what.length))
  console.log(`\n${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}\n`)
  for (const { what, result } of lines) console.log(`| ${what.padEnd(width)} | ${result} |`)
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

export function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
  return `p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms, max ${at(1).toFixed(1)} ms`
}

export const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`

/** Runs with a store in a folder of its own, compacted every 20 writes as LanceDB advises; `events` are its background jobs. */
export async function withStore(
  options: Partial<VectorStoreOptions>,
  run: (store: VectorStore, events: readonly MaintenanceEvent[]) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'vector-bench-'))
  const events: MaintenanceEvent[] = []
  const store = await openVectorStore(
    {
      directory,
      chainId: 1n,
      indexCacheBytes: 64 * 2 ** 20,
      metadataCacheBytes: 32 * 2 ** 20,
      optimizeEvery: 20,
      keepVersionsMs: 10_000,
      ...options,
    },
    { logger: pino({ level: 'warn' }, pino.destination(2)), onMaintenance: (event) => events.push(event) },
  )
  try {
    await run(store, events)
  } finally {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  }
}
