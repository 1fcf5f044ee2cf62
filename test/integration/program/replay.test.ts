import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Status } from '../../../sidecar/status.ts'
import { documentOf, reproducible } from '../../support/program/programAnswers.ts'
import { runProgram } from '../../support/program/startProgram.ts'

const shared = process.env.MONMOUTH_SHARED ?? fileURLToPath(new URL('../../../../shared', import.meta.url))
const blocks = join(shared, 'data/ethereum/blocks.jsonl.gz')
const isMissing = !existsSync(blocks)
if (isMissing) console.warn(`replay tests skipped: no recorded blocks at ${blocks} (set MONMOUTH_SHARED)`)

async function replay(...flags: string[]): Promise<Status> {
  const ended = await runProgram(['replay', blocks, ...flags, '--json', '--http', '127.0.0.1:0'])
  expect(ended.code, ended.stderr).toBe(0)
  return documentOf<Status>(ended)
}

describe.skipIf(isMissing)('replay of recorded blocks', () => {
  const forks = ['--reorg-every', '7', '--reorg-depth', '3']

  test('forks come and go, and leave the chain and every hash as without them', async () => {
    const [straight, forked] = await Promise.all([replay(), replay(...forks)])
    expect(straight.reorgs).toBe(0)
    expect(forked.reorgs).toBeGreaterThanOrEqual(5)
    expect(forked.blocksReverted).toBeGreaterThanOrEqual(forked.reorgs)
    expect(straight.blocks).toBeGreaterThan(0)
    expect(withoutForks(forked)).toEqual(withoutForks(straight))
    expect(straight.svm).toMatchObject({ executed: 0, failed: 0, rejected: 0, deposits: 0 })
  })

  test('with SVM envelopes too', async () => {
    const share = ['--svm-share', '0.2']
    const [straight, forked] = await Promise.all([replay(...share), replay(...share, ...forks)])
    const { executed, failed, rejected, deposits } = straight.svm
    expect(Math.min(executed, failed, rejected, deposits)).toBeGreaterThan(0)
    expect(forked.reorgs).toBeGreaterThanOrEqual(5)
    expect(withoutForks(forked)).toEqual(withoutForks(straight))

    const again = await replay(...share, ...forks)
    expect(withoutSpeed(again)).toEqual(withoutSpeed(forked))
  })
})

function withoutForks(status: Status) {
  const { reorgs: _, blocksReverted: __, ...rest } = reproducible(status)
  return rest
}

/** All that the clock has no part in. */
function withoutSpeed(status: Status) {
  const { seconds, transactionsPerSecond, latencyMs, cache, rssBytes, ...rest } = status
  for (const measured of [seconds, transactionsPerSecond, latencyMs.p50, rssBytes]) {
    expect(measured).toBeGreaterThan(0)
  }
  expect(cache.hits + cache.misses).toBeGreaterThan(0)
  return rest
}
