import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials, status } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import { exExMethods, startExExServer } from '#exex/server'
import { createScriptedFeed } from '../../../harness/feed/index.ts'
import { getExExInfo } from '../../../sidecar/exex/client/getExExInfo.ts'
import { quiet } from './observedConsumer.ts'
import { useServer } from './useServer.ts'

const { start, consume, call, subject } = useServer()
/** An answer is waited for as long as it takes on whatever machine. */
const patiently = { timeout: 60_000 }

describe('calls for tools', () => {
  test('tell a client of this project what it would attach to', async () => {
    const feed = await start({ tokens: [{ token: 'any' }] })
    feed.commit(4)
    feed.finalize(2n)
    const info = await getExExInfo({ url: subject().url, token: 'any' })
    expect(info).toMatchObject({
      chainId: 1337n,
      genesisHash: feed.genesisHash,
      head: feed.head,
      finalized: feed.canonical[2],
    })
    await expect(getExExInfo({ url: subject().url })).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      fatal: true,
    })
    await expect(getExExInfo({ url: 'http://nowhere' })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  test('describe the server, list, acknowledge for and drop consumers', async () => {
    const feed = await start()
    feed.commit(4)
    const consumer = consume({ consumerId: 'one' })
    await consumer.until('the chain', () => consumer.tip?.hash === feed.head.hash)
    expect(await call(exExMethods.getInfo, {})).toMatchObject({
      chainId: 1337n,
      head: feed.head,
      profiles: ['transactions', 'receipts'],
    })
    const four = feed.canonical[4]
    const ack = { consumerId: 'one', ack: { processed: four, durable: four } }
    await expect(call(exExMethods.acknowledge, ack)).rejects.toMatchObject({ code: status.ABORTED })
    consumer.stop()
    await expect.poll(() => subject().server.consumers()[0]?.connected, patiently).toBe(false)
    feed.finalize(3n)
    expect(await call(exExMethods.acknowledge, ack)).toMatchObject({
      acknowledged: { durable: four, finishedHeight: feed.canonical[3] },
    })
    const lie = {
      consumerId: 'one',
      ack: { processed: four, durable: { number: 4n, hash: `0x${'99'.repeat(32)}` } },
    } as const
    await expect(call(exExMethods.acknowledge, lie)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT })
    expect((await call(exExMethods.listConsumers, {})).consumers).toMatchObject([
      { id: 'one', durable: four, mode: 'durable' },
    ])
    expect(await call(exExMethods.dropConsumer, { consumerId: 'one' })).toEqual({ dropped: true })
    expect((await call(exExMethods.listConsumers, {})).consumers).toEqual([])
  })

  test('answer a health check with what the source says', async () => {
    const feed = await start()
    const check = async () => {
      // grpc.health.v1: request field 1 is the service's name, response field 1 the status, 1 serving, 2 not.
      const name = Buffer.from('exex.v1.ExEx')
      const raw = (bytes: Buffer) => bytes
      const request = Buffer.concat([Buffer.of(0x0a, name.length), name])
      return call(
        { path: '/grpc.health.v1.Health/Check', requestSerialize: raw, responseDeserialize: raw },
        request,
      )
    }
    expect(await check()).toEqual(Buffer.of(0x08, 1))
    feed.setProblem('the node does not answer')
    await expect.poll(check, patiently).toEqual(Buffer.of(0x08, 2))
  })

  test('let a tool read the contract by reflection, when it is on', async () => {
    await start({ reflection: true })
    for (const version of ['v1', 'v1alpha']) {
      const client = new Client(subject().server.address, credentials.createInsecure())
      const raw = (bytes: Buffer) => bytes
      const stream = client.makeBidiStreamRequest(
        `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
        raw,
        raw,
      )
      // Field 7, list_services.
      stream.write(Buffer.of(0x3a, 0x01, 0x2a))
      const answer = await new Promise<Buffer>((resolve, reject) =>
        stream.once('data', resolve).once('error', reject),
      )
      expect(answer.toString('latin1'), version).toContain('exex.v1.ExEx')
      stream.cancel()
      client.close()
    }
  })

  test('refuses to start twice on one port', async () => {
    const feed = await start()
    await expect(
      startExExServer({ source: createScriptedFeed(), listen: subject().server.address }, { logger: quiet }),
    ).rejects.toThrow()
    expect(feed.head.number).toBe(0n)
  })
})

describe('tokens', () => {
  test.each<[string, string | undefined, string]>([
    ['none', undefined, 'UNAUTHENTICATED'],
    ['a wrong one', 'guess', 'UNAUTHENTICATED'],
    ['one of another consumer', 'bound', 'FORBIDDEN'],
  ])('with %s a consumer is refused for good', async (_, token, code) => {
    await start({ tokens: [{ token: 'any' }, { token: 'bound', consumerId: 'other' }] })
    const consumer = consume(token === undefined ? {} : { token })
    await consumer.until('the end', () => consumer.error !== undefined)
    expect(consumer.error).toMatchObject({ code, fatal: true })
    await expect(call(exExMethods.getInfo, {})).rejects.toMatchObject({ code: status.UNAUTHENTICATED })
  })

  test('are read from a file, bound to a consumer or not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'exex-'))
    const tokenFile = join(folder, 'tokens')
    await writeFile(tokenFile, '# who may come\nopen-to-all\n\nobserved:only-mine\n')
    const feed = await start({ tokenFile })
    feed.commit(1)
    for (const token of ['open-to-all', 'only-mine']) {
      const consumer = consume({ token })
      await consumer.until(`block 1 with ${token}`, () => consumer.tip?.number === 1n)
      consumer.stop()
    }
    const info = await call(exExMethods.getInfo, {}, 'open-to-all')
    expect(info.chainId).toBe(feed.chainId)
    await rm(folder, { recursive: true })
  })
})
