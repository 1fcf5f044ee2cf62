import { afterEach, beforeEach, expect, test } from 'vitest'
import { startProcess } from '../../../harness/instance/startProcess.ts'
import type { Instance } from '../../../harness/instance/types.ts'
import { quietPort } from '../../../harness/quietPort.ts'
import { sidecarHand } from '../../../harness/sidecar/sidecarHand.ts'

/** Answers `/status` as a sidecar with one durable block, and ends with a last word when asked for `/end`. */
const program = `
  const status = JSON.stringify({ durable: { number: 1, hash: '0x01' } })
  require('node:http').createServer((request, response) => {
    if (request.url === '/end') return console.error('the disk is on fire'), setTimeout(() => process.exit(3), 50)
    response.setHeader('content-type', 'application/json').end(status)
  }).listen(Number(process.argv[1]), '127.0.0.1')
`
let instance: Instance
let hand: ReturnType<typeof sidecarHand>

beforeEach(async () => {
  const port = await quietPort()
  const url = `http://127.0.0.1:${port}`
  instance = await startProcess({
    name: 'second',
    file: process.execPath,
    args: () => ['-e', program, String(port)],
    isReady: () =>
      fetch(`${url}/status`).then(
        () => true,
        () => false,
      ),
  })
  hand = sidecarHand(instance, url)
})
afterEach(() => instance[Symbol.asyncDispose]())

test('what died is told at once, with its last words', async () => {
  expect(await hand.untilDurable({ hash: '0x01' })).toMatchObject({ durable: { number: 1 } })
  const waiting = hand.untilDurable({ hash: '0x02' })
  await expect(hand.get('/end')).rejects.toMatchObject({ code: 'INSTANCE_UNREACHABLE' })
  await expect(waiting).rejects.toMatchObject({
    code: 'INSTANCE_DIED',
    message: 'expected second to have 0x02 durable, it died: the disk is on fire',
  })
  await expect(hand.get('/metrics')).rejects.toThrow(
    /^expected second, which is stopped, to answer GET \/metrics, got connect ECONNREFUSED [\d.:]+: the disk is on fire$/,
  )
})

test('what was stopped may come back while it is waited for', async () => {
  await instance.kill()
  const waiting = hand.untilDurable({ hash: '0x01' })
  await instance.start()
  expect(await waiting).toMatchObject({ durable: { hash: '0x01' } })
})

test('what lags is told with what it has', async () => {
  await expect(hand.untilDurable({ hash: '0x02' }, 100)).rejects.toMatchObject({
    code: 'SIDECAR_BEHIND',
    message: expect.stringContaining('it has {"number":1,"hash":"0x01"}') as string,
  })
})
