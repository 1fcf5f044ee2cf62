import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import pino from 'pino'
import { type Block, startExExServer } from '#exex/server'
import { type Sidecar, startSidecar } from '#harness'
import { openVectorStore } from '#vector'
import { createScriptedFeed } from '../../harness/feed/index.ts'
import { folderBytes } from '../../vector/store/folderBytes.ts'
import { createBlocks } from '../latency/createBlocks.ts'
import type { Answered, QuestionerOptions } from './questioner.ts'

const chainId = 1337n
const finalityDepth = 8n
const reorgEverySeconds = 60
const sampleEveryMs = 5_000

export type SoakOptions = {
  readonly seconds: number
  readonly blocksPerSecond: number
  readonly transactions: number
  readonly questionsPerSecond: number
  /** Configuration of the sidecar by key. */
  readonly settings: readonly string[]
  readonly onTenth: (tenth: SoakTenth, index: number) => void
}

export type Percentiles = { readonly p50: number; readonly p99: number; readonly max: number }

/** Means over a tenth of the time; MB are millions of bytes, resident. */
export type SoakTenth = {
  readonly blocks: number
  readonly sidecarMb: number
  readonly vectorMb: number
  readonly mostVectorMb: number
  /** How often the vector store's process gave way to a fresh one. */
  readonly replaced: number
  /** The data directory at the end of the tenth. */
  readonly diskMb: number
  /** Versions of all tables of the vector store, at the end of the tenth. */
  readonly versions: number
  readonly durableMs: Percentiles
  readonly answersMs: Percentiles
}

export type SoakSample = {
  readonly seconds: number
  readonly sidecarMb: number
  readonly vectorMb: number
  readonly diskMb: number
  readonly versions: number
}

export type Soak = {
  readonly options: Omit<SoakOptions, 'onTenth'>
  readonly tenths: readonly SoakTenth[]
  readonly samples: readonly SoakSample[]
  readonly blocks: number
  readonly transactions: number
  readonly reorgs: number
  readonly questions: number
  readonly failed: number
  /** The 200 answers that took longest. */
  readonly slowest: readonly Answered[]
  readonly rows: number
}

/** Runs the sidecar as a process at a steady rate and looks at it from outside, as its operator would. */
export async function measureSoak({ onTenth, ...options }: SoakOptions): Promise<Soak> {
  const { seconds, blocksPerSecond, transactions, questionsPerSecond, settings } = options
  const folder = await mkdtemp(join(tmpdir(), 'monmouth-soak-'))
  await using resources = new AsyncDisposableStack()
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  const feed = createScriptedFeed({ chainId })
  const server = await startExExServer(
    { listen: '127.0.0.1:0', source: feed },
    { logger: pino({ level: 'silent' }) },
  )
  resources.defer(() => server.close())
  const dataDir = join(folder, 'data')
  const sidecar = resources.use(
    await startSidecar({
      name: 'sidecar',
      url: `grpc://${server.address}`,
      dataDir,
      settings: [`finality.depth=${finalityDepth}`, ...settings],
    }),
  )
  const ending = new AbortController()
  resources.defer(() => ending.abort())
  const next = createBlocks('soak', { transactions, svmShare: 0.2 })
  const committed = new Map<string, number>()
  let durable: number[] = []
  const answers: Answered[] = []
  let blocks = 0
  let reorgs = 0
  const samples: SoakSample[] = []
  const tenths: SoakTenth[] = []

  const start = performance.now()
  const end = start + seconds * 1000
  const told = watchDurable(sidecar, ending.signal, (hash) => {
    const at = committed.get(hash)
    if (at === undefined) return
    durable.push(performance.now() - at)
    committed.delete(hash)
  })
  const commit = (block: Block, at: number) => {
    committed.set(block.ref.hash, at)
    // Of blocks made durable together only the last is told by name; what is left is of the past.
    if (committed.size > 1000) committed.delete(committed.keys().next().value!)
    blocks += 1
  }
  const feeding = (async () => {
    let lastReorg = start
    for (let index = 0; performance.now() < end; index += 1) {
      const due = start + (index * 1000) / blocksPerSecond
      if (due > performance.now()) await delay(due - performance.now())
      if (due - lastReorg >= reorgEverySeconds * 1000 && feed.head.number > 4n) {
        lastReorg = due
        reorgs += 1
        const depth = 1 + (reorgs % 4)
        const replacement: Block[] = []
        let parent = feed.canonical.at(-1 - depth)!
        for (let made = 0; made <= depth; made += 1) {
          replacement.push(next(parent))
          parent = replacement.at(-1)!.ref
        }
        feed.reorg(depth, replacement)
        for (const block of replacement) commit(block, due)
      } else {
        const block = next(feed.head)
        feed.commit([block])
        commit(block, due)
      }
      if (feed.head.number > finalityDepth) feed.finalize(feed.head.number - finalityDepth)
    }
  })()
  const asking = askQuestions(
    { httpUrl: sidecar.httpUrl, seconds, perSecond: questionsPerSecond },
    (answered) => answers.push(answered),
  )
  const sampling = (async () => {
    let since = { blocks: 0, replaced: 0, sample: 0, answers: 0 }
    for (let index = 1; performance.now() < end; index += 1) {
      await delay(Math.max(0, Math.min(start + index * sampleEveryMs, end) - performance.now()))
      samples.push(await sample(sidecar, dataDir, (performance.now() - start) / 1000))
      if (performance.now() < start + ((tenths.length + 1) * seconds * 1000) / 10 - 1 || tenths.length === 10)
        continue
      const own = samples.slice(since.sample)
      const replaced = sidecar.logs().split('process was replaced').length - 1
      const tenth: SoakTenth = {
        blocks: blocks - since.blocks,
        sidecarMb: mean(own.map(({ sidecarMb }) => sidecarMb)),
        vectorMb: mean(own.map(({ vectorMb }) => vectorMb)),
        mostVectorMb: Math.max(...own.map(({ vectorMb }) => vectorMb)),
        replaced: replaced - since.replaced,
        diskMb: own.at(-1)!.diskMb,
        versions: own.at(-1)!.versions,
        durableMs: percentiles(durable),
        answersMs: percentiles(answers.slice(since.answers).map(({ ms }) => ms)),
      }
      since = { blocks, replaced, sample: samples.length, answers: answers.length }
      durable = []
      tenths.push(tenth)
      onTenth(tenth, tenths.length - 1)
    }
  })()
  await Promise.all([feeding, asking, sampling])
  const status = await sidecar.untilDurable(feed.head)
  ending.abort()
  await told
  const facts = { blocks: status.blocks, transactions: status.transactions, reorgs: status.reorgs }
  await sidecar.stop()
  return {
    options,
    tenths,
    samples,
    ...facts,
    questions: answers.length,
    failed: answers.filter(({ isOk }) => !isOk).length,
    slowest: answers.toSorted((a, b) => b.ms - a.ms).slice(0, 200),
    rows: await countRows(dataDir),
  }
}

/** Resolves once all are asked and answered. */
async function askQuestions(
  options: QuestionerOptions,
  onAnswered: (answered: Answered) => void,
): Promise<void> {
  const questioner = new Worker(new URL('./questioner.ts', import.meta.url), { workerData: options })
  questioner.on('message', onAnswered)
  await once(questioner, 'exit')
}

async function countRows(dataDir: string): Promise<number> {
  await using store = await openVectorStore(
    {
      directory: join(dataDir, 'vector'),
      chainId,
      indexCacheBytes: 2 ** 24,
      metadataCacheBytes: 2 ** 24,
      optimizeEvery: 100,
      readOnly: true,
    },
    { logger: pino({ level: 'silent' }) },
  )
  return (await store.stats()).transactions.rows
}

async function watchDurable(
  sidecar: Sidecar,
  signal: AbortSignal,
  take: (hash: string) => void,
): Promise<void> {
  const response = await fetch(`${sidecar.httpUrl}/events`, { signal })
  let rest = ''
  try {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop()!
      for (const part of parts) {
        const line = part === '' ? undefined : (JSON.parse(part) as { type: string; hash: string })
        if (line?.type === 'durable') take(line.hash)
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function sample(sidecar: Sidecar, dataDir: string, seconds: number): Promise<SoakSample> {
  const { rssBytes } = await sidecar.status()
  const { body } = await sidecar.get('/metrics')
  const own = Number(/^monmouth_process_resident_memory_bytes (\S+)/m.exec(String(body))?.[1])
  const [bytes, versions] = [await folderBytes(dataDir), await countVersions(join(dataDir, 'vector'))]
  return {
    seconds: Math.round(seconds),
    sidecarMb: Math.round(own / 1e6),
    vectorMb: Math.round((rssBytes - own) / 1e6),
    diskMb: Math.round(bytes / 1e6),
    versions,
  }
}

/** Versions of all tables of a vector store, as the files tell. */
async function countVersions(directory: string): Promise<number> {
  const tables = (await readdir(directory)).filter((name) => name.endsWith('.lance'))
  const versions = await Promise.all(tables.map((name) => readdir(join(directory, name, '_versions'))))
  return versions.reduce((sum, { length }) => sum + length, 0)
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

function mean(values: readonly number[]): number {
  return Math.round(values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length))
}
