import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

type Ended = {
  readonly signal: string | null
  readonly code: number
  readonly report: unknown
  readonly stderr: string
}

/** A process that loads LiteSVM, and the longest scenario in it, beside whatever else the machine does. */
const childTimeoutMs = 300_000

/** Runs a scenario in a process of its own, so that an abort is seen and not shared. */
function inChild(...args: string[]): Promise<Ended> {
  const script = join(import.meta.dirname, 'hostileChild.ts')
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', script, ...args],
      (error, stdout, stderr) => {
        const line = stdout.trim()
        const code = typeof error?.code === 'number' ? error.code : 0
        resolve({
          signal: error?.signal ?? null,
          code,
          report: line === '' ? undefined : JSON.parse(line),
          stderr,
        })
      },
    )
  })
}

test(
  'the danger is real: LiteSVM alone aborts when a program that ran is removed and called',
  async () => {
    const { signal, report } = await inChild('bare')
    expect(signal).toBe('SIGABRT')
    expect(report).toBeUndefined()
  },
  childTimeoutMs,
)

test(
  'programs that got in are undone, called and put back without an abort',
  async () => {
    const { report, stderr } = await inChild('undone')
    // The token program's own answer to such data: its code ran.
    const first = ['deposited', 'executed', 'InstructionError(0, Custom(12))']
    expect(report, stderr).toEqual({
      seen: [first, ['deposited', 'InvalidProgramForExecution', 'InvalidProgramForExecution'], first],
      accounts: [true, true, true],
    })
  },
  childTimeoutMs,
)

test(
  'sums at the edge of 64 bits, payers that hold data, fees beyond all money',
  async () => {
    const { report, stderr } = await inChild('edges')
    expect(report, stderr).toEqual([
      'deposited',
      'deposited',
      'InstructionError(0, ArithmeticOverflow)',
      'executed',
      'InvalidAccountForFee',
      'executed',
      'InsufficientFundsForFee',
      'deposited',
    ])
  },
  childTimeoutMs,
)

test(
  'well-signed nonsense for every program aborts nothing, and undo takes it back',
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const { report, signal, code, stderr } = await inChild('fuzz', `${seed}`)
    expect({ signal, code }, `seed ${seed}: ${stderr}`).toEqual({ signal: null, code: 0 })
    const counts = report as Record<string, number>
    for (const status of ['executed', 'failed', 'rejected', 'deposited']) {
      expect(counts[status], `seed ${seed}: ${status}`).toBeGreaterThan(10)
    }
  },
  childTimeoutMs,
)
