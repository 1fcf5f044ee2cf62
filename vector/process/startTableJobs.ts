import { fork } from 'node:child_process'
import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { TableJobEnded, type TableJobs } from '../store/tableJobs.ts'
import { residentBytes } from './residentBytes.ts'
import type { TableJobAnswer, TableJobRequest } from './tableJob.ts'

/**
 * Does heavy work on `transactions` in processes of low priority, one for each job: at a million rows a compaction holds several hundred
 * MB and a core for up to a minute, which go back to the system with its process, and questions come first meanwhile.
 *
 * @param follow takes over what a job has written, and resolves once nobody reads what was there before
 */
export function startTableJobs(
  directory: string,
  { logger, follow }: { readonly logger: Logger; readonly follow: () => Promise<void> },
): TableJobs {
  const running = new Map<Job, TableJobRequest['kind']>()

  return {
    compact: (cleanupOlderThan) =>
      use('compact', async (job) => {
        // Nothing goes that this process still reads: first what is joined, then, once that is read here, what it is joined of.
        await job.run({ kind: 'compact', directory, cleanupOlderThanMs: 0 })
        await follow()
        await job.run({ kind: 'compact', directory, cleanupOlderThanMs: cleanupOlderThan.getTime() })
        await follow()
      }),
    buildIndex: (index) =>
      use('index', async (job) => {
        await job.run({ kind: 'index', directory, job: index })
        await follow()
      }),
    end(which) {
      for (const [job, kind] of running) if (which === 'all' || kind === 'compact') job.end()
    },
    rssBytes: () => [...running.keys()].reduce((sum, { pid }) => sum + ((pid && residentBytes(pid)) || 0), 0),
  }

  async function use(kind: TableJobRequest['kind'], work: (job: Job) => Promise<void>): Promise<void> {
    const job = startJob()
    running.set(job, kind)
    logger.debug({ kind, process: job.pid }, 'a process for the vector store was started')
    try {
      // Also what waits for this process and not for the job's ends with it.
      await Promise.race([work(job), job.gone])
    } finally {
      running.delete(job)
      job.end()
    }
  }
}

type Job = ReturnType<typeof startJob>

function startJob() {
  const child = fork(fileURLToPath(new URL('./tableJob.ts', import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let lastWords = ''
  child.stderr!.on('data', (chunk: Buffer) => {
    lastWords = `${lastWords}${chunk}`.slice(-500)
  })
  let wasEnded = false
  const gone = once(child, 'close').then(([code, signal]): never => {
    if (wasEnded) throw new TableJobEnded()
    throw new Error(
      `its process ended (${signal ?? `exit code ${code}`})${lastWords && `: ${lastWords.trim()}`}`,
    )
  })
  gone.catch(() => undefined)
  try {
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // It has ended already, or the system knows no priorities.
  }
  return {
    pid: child.pid,
    /** Rejects when the process ends, however that comes. */
    gone,
    async run(request: TableJobRequest): Promise<void> {
      const answered = once(child, 'message') as Promise<[TableJobAnswer]>
      answered.catch(() => undefined)
      child.send(request, () => undefined)
      const [{ error }] = await Promise.race([answered, gone])
      if (error !== undefined) throw new Error(error)
    },
    end() {
      wasEnded = true
      child.kill('SIGKILL')
    },
  }
}
