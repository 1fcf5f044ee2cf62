import { expect, test } from 'vitest'
import type { Status } from '../../../sidecar/status.ts'
import { documentOf, reproducible } from '../../support/program/programAnswers.ts'
import { runProgram, startProgram } from '../../support/program/startProgram.ts'

const flags = [
  ...['--blocks', '60', '--block-time', '100', '--tx-per-block', '40', '--svm-share', '0.3'],
  ...['--reorg-every', '10', '--reorg-depth', '3', '--seed', '7'],
]

test('devnet: traffic and reorgs, and the same chain and state each time', async () => {
  const run = async () => {
    const ended = await runProgram(['devnet', ...flags, '--json', '--http', '127.0.0.1:0'])
    expect(ended.code, ended.stderr).toBe(0)
    return documentOf<Status>(ended)
  }
  const [first, second] = await Promise.all([run(), run()])

  expect(first.reorgs).toBeGreaterThanOrEqual(5)
  expect(first.blocksReverted).toBeGreaterThanOrEqual(first.reorgs)
  const { executed, failed, rejected, deposits } = first.svm
  expect(Math.min(executed, failed, rejected, deposits)).toBeGreaterThan(0)
  const { routes, transactions } = first
  expect(routes.executeOnSvm + routes.executeOnEvm + routes.skip).toBe(transactions)
  expect(first.head!.number).toBeGreaterThanOrEqual(60)
  expect(first.durable).toEqual(first.head)
  expect(first.finishedHeight!.number).toBeGreaterThan(0)
  expect(first.finishedHeight!.number).toBeLessThanOrEqual(first.finalized!.number)
  expect(first.finalized!.number).toBeLessThanOrEqual(first.head!.number)
  // Which forks are seen is a matter of timing; what they leave behind is not.
  const { reorgs: _, blocksReverted: __, ...chain } = reproducible(first)
  expect(second).toMatchObject(chain)
})

test('devnet by itself makes reorgs, goes on until it is stopped, and takes its node along', async () => {
  await using program = await startProgram([
    'devnet',
    '--block-time',
    '50',
    '--json',
    '--http',
    '127.0.0.1:0',
  ])
  const node = /follows (http:\S+)/.exec(program.stderr())![1]!
  await program.until('/status', ({ body }) => (body as Status).reorgs >= 2)
  const ended = await program.stop('SIGTERM')
  expect(ended.code, ended.stderr).toBe(0)
  expect(documentOf<Status>(ended).head!.number).toBeGreaterThanOrEqual(10)
  await expect(fetch(node)).rejects.toThrow('fetch failed')
})

test('devnet killed by SIGKILL takes its node along too', async () => {
  await using program = await startProgram(['devnet', '--json', '--http', '127.0.0.1:0'])
  const node = /follows (http:\S+)/.exec(program.stderr())![1]!
  const isUp = () =>
    fetch(node, { method: 'POST', body: '{}', headers: { connection: 'close' } }).then(
      () => true,
      () => false,
    )
  expect(await isUp()).toBe(true)
  await program.stop('SIGKILL')
  await expect.poll(isUp, { timeout: 60_000 }).toBe(false)
})
