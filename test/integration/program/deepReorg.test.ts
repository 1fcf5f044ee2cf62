import { expect, test } from 'vitest'
import { startAnvil } from '#harness'
import type { Status } from '../../../sidecar/status.ts'
import { errorOf, healthOf, untilDurable } from '../../support/program/programAnswers.ts'
import { type Answer, runProgram, startProgram } from '../../support/program/startProgram.ts'
import { createStockClient } from '../../support/program/stockClient.ts'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'

const isFatal = (answer: Answer) => healthOf(answer).problems.some(({ fatal }) => fatal)

/** Small enough to be reached: eight blocks can be taken back. */
const window = ['--set', 'state.undo_depth=8', '--set', 'finality.depth=8', '--set', 'shim.poll_interval=50']

// Who finds the reorg too deep: the sidecar, whose undo ends; or the shim, which searches no further.
test.each([
  ['the sidecar keeps undo for', [], 'REORG_TOO_DEEP'],
  ['the shim follows', ['--set', 'shim.max_reorg_depth=8'], 'RESYNC'],
])('a reorg deeper than %s stops it, loudly, and nothing is served as current', async (_, more, code) => {
  await using folder = await temporaryFolder()
  await using node = await startAnvil({ slotsInAnEpoch: 60 })
  const client = createStockClient(node)
  await client.mine(30)
  const args = ['attach', node.wsUrl, '--data-dir', folder.path, '--http', '127.0.0.1:0', '--json']
  await using program = await startProgram([...args, ...window, ...more])
  const before = await untilDurable(program, await client.head())

  await client.rollback(20)
  await client.anvil.setNextBlockTimestamp({ timestamp: 1_800_000_000n })
  await client.mine(25)

  const red = await program.until('/health', isFatal)
  expect(red.status).toBe(503)
  const { problems } = healthOf(red)
  expect(problems).toMatchObject([{ code, fatal: true }])
  expect(problems[0]!.message).toMatch(/--data-dir/)
  for (const door of ['/accounts/11111111111111111111111111111111', '/decisions', '/context?query=x']) {
    const { status, body } = await program.get(door)
    expect.soft({ door, status, body }).toMatchObject({ door, status: 503, body: { error: { code } } })
  }
  expect((await program.get('/ready')).status).toBe(503)
  expect((await program.get('/status')).body).toMatchObject({ durable: before.durable, reorgs: 0 })

  // It stays to say so, until someone ends it.
  const health = await runProgram(['health', '--http', program.address.replace('http://', ''), '--json'])
  expect(health.code).toBe(1)
  const ended = await program.stop('SIGTERM')
  expect(ended.code, ended.stderr).toBe(5)
  expect(errorOf(ended)).toMatchObject({ code, message: problems[0]!.message })

  // As it told: another data directory follows the chain as it is now.
  await using fresh = await temporaryFolder()
  await using rebuilt = await startProgram([...args.with(3, fresh.path), ...window, ...more])
  const { head } = await untilDurable(rebuilt, await client.head())
  expect(head!.number).toBe(35)
})

test('a reorg too deep while stopped is found at the next start', async () => {
  await using folder = await temporaryFolder()
  await using node = await startAnvil({ slotsInAnEpoch: 60 })
  const client = createStockClient(node)
  await client.mine(30)
  const args = ['attach', node.wsUrl, '--data-dir', folder.path, '--http', '127.0.0.1:0', '--json', ...window]
  {
    await using program = await startProgram(args)
    await untilDurable(program, await client.head())
    expect((await program.stop()).code).toBe(0)
  }
  await client.rollback(20)
  await client.anvil.setNextBlockTimestamp({ timestamp: 1_800_000_000n })
  await client.mine(25)
  await using program = await startProgram(args)
  const red = await program.until('/health', isFatal)
  expect(healthOf(red).problems[0]!.message).toMatch(/--data-dir/)
  expect((await program.get('/decisions')).status).toBe(503)
  expect((await program.get('/status')).body as Status).toMatchObject({ durable: { number: 30 } })
  const ended = await program.stop()
  expect(ended.code, ended.stderr).toBe(5)
})
