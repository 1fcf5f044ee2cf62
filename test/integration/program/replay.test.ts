import { describe, expect, test } from 'vitest'
import type { Status } from '../../../sidecar/status.ts'
import { documentOf, reproducible, withoutSpeed } from '../../support/program/programAnswers.ts'
import { isRecordingMissing, recordedBlocks } from '../../support/program/recordedBlocks.ts'
import { runProgram } from '../../support/program/startProgram.ts'

async function replay(...flags: string[]): Promise<Status> {
  const ended = await runProgram(['replay', recordedBlocks, ...flags, '--json', '--http', '127.0.0.1:0'])
  expect(ended.code, ended.stderr).toBe(0)
  return documentOf<Status>(ended)
}

describe.skipIf(isRecordingMissing)('replay of recorded blocks', () => {
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
  }, 240_000)
})

function withoutForks(status: Status) {
  const { reorgs: _, blocksReverted: __, ...rest } = reproducible(status)
  return rest
}
