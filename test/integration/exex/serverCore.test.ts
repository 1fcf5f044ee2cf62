import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials, Metadata, status } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { type ExExServerMetrics, exExMethods, startExExServer } from '#exex/server'
import { createScriptedFeed, type TransactionFields } from '../../../harness/feed/index.ts'
import { getExExInfo } from '../../../sidecar/exex/client/getExExInfo.ts'
import { decodeServerFrames, encodeClientFrame } from '../../../sidecar/exex/frameCodec.ts'
import type { ClientFrame, HelloFrame, ServerFrame } from '../../../sidecar/exex/frames.ts'
import { type ObservedConsumer, type ObservedOptions, observeConsumer, quiet } from './observedConsumer.ts'
import { type ScriptedServer, startScriptedServer } from './startScriptedServer.ts'

let subject: ScriptedServer
let consumers: ObservedConsumer[] = []
const start = async (...options: Parameters<typeof startScriptedServer>) => {
  subject = await startScriptedServer(...options)
  return subject.feed
}
const consume = (options: Partial<ObservedOptions> = {}) => {
  const consumer = observeConsumer({ url: subject.url, ...options })
  consumers.push(consumer)
  return consumer
}
afterEach(async () => {
  for (const consumer of consumers) consumer.stop()
  consumers = []
  await subject.close()
})

/** One input of so many bytes. */
const large = (bytes: number): readonly TransactionFields[] => [{ input: `0x${'5a'.repeat(bytes)}` }]

describe('delivery', () => {
  test('keeps unprocessed bytes below the window', async () => {
    const feed = await start({ feedOptions: { transactions: () => large(20_000) } })
    feed.commit(200)
    const windowBytes = 200_000
    const consumer = consume({ grants: false, windowBytes })
    let granted = 0
    let most = 0
    while (consumer.tip?.hash !== feed.head.hash) {
      await consumer.until('more', () => consumer.notifications.length > granted)
      most = Math.max(most, consumer.client.state().bufferedBytes)
      consumer.client.grant(consumer.notifications[granted++]!)
    }
    // One notification may exceed what is left, by less than itself.
    const biggest = Math.max(...consumer.notifications.map((one) => one.bytes))
    expect(most).toBeLessThanOrEqual(windowBytes + biggest)
    expect(biggest).toBeLessThanOrEqual(windowBytes)
    expect(most).toBeGreaterThan(windowBytes / 2)
  })

  test('sends a slow consumer to the cold path, and neither the source nor others wait', async () => {
    let fellBehind = 0
    const metrics: ExExServerMetrics = {
      sessionOpened: () => {},
      sessionClosed: () => {},
      notificationSent: () => {},
      fellBehind: () => {
        fellBehind++
      },
      ringChanged: () => {},
      finishedHeightChanged: () => {},
      consumerEvicted: () => {},
    }
    const feed = await start({ ringBlocks: 8, metrics })
    feed.commit(1)
    const fast = consume({ consumerId: 'fast' })
    const slow = consume({ consumerId: 'slow', grants: false, windowNotifications: 1 })
    await slow.until('its first', () => slow.notifications.length === 1)
    for (let i = 0; i < 50; i++) feed.commit(1)
    expect(feed.head.number).toBe(51n)
    await fast.until('the chain', () => fast.tip?.hash === feed.head.hash)
    expect(slow.notifications).toHaveLength(1)
    let granted = 0
    while (slow.tip?.hash !== feed.head.hash) {
      await slow.until('more', () => slow.notifications.length > granted)
      slow.client.grant(slow.notifications[granted++]!)
    }
    expect(slow.chain).toEqual(feed.canonical)
    expect(fellBehind).toBeGreaterThan(0)
    expect(slow.notifications.some((one) => one.source === 'catchUp')).toBe(true)
    expect(slow.disconnects).toEqual([])
  })

  test('finds a reorg that a slow consumer slept through, and undoes by name', async () => {
    const feed = await start({ ringBlocks: 4 })
    feed.commit(10)
    const slow = consume({ grants: false, windowNotifications: 1 })
    await slow.until('its first', () => slow.notifications.length === 1)
    expect(slow.tip).toEqual(feed.head)
    const undone = feed.canonical.slice(-3)
    feed.reorg(3, 12)
    slow.client.grant(slow.notifications[0]!)
    await slow.until('the new branch', () => slow.notifications.length === 2)
    expect(slow.notifications[1]).toMatchObject({ kind: 'reorged', undo: undone, source: 'catchUp' })
    slow.client.grant(slow.notifications[1]!)
    await slow.until('all', () => slow.tip?.hash === feed.head.hash)
    expect(slow.chain).toEqual(feed.canonical)
  })

  test('splits a block that is larger than a frame', async () => {
    const feed = await start({ feedOptions: { transactions: () => large(50_000) } })
    feed.commit(3)
    const consumer = consume({ maxFrameBytes: 8192, profile: 'receipts' })
    await consumer.until('the chain', () => consumer.tip?.hash === feed.head.hash)
    const blocks = consumer.notifications.flatMap((one) => (one.kind === 'reverted' ? [] : one.blocks))
    expect(blocks.map((block) => block.transactions.inputs.length)).toEqual([50_000, 50_000, 50_000])
    expect(consumer.disconnects).toEqual([])
  })

  test('cuts a long chain into bounded notifications', async () => {
    const feed = await start({ batchBlocks: 7 })
    feed.commit(30)
    const consumer = consume()
    await consumer.until('the chain', () => consumer.tip?.hash === feed.head.hash)
    const sizes = consumer.notifications.map((one) => (one.kind === 'reverted' ? 0 : one.blocks.length))
    expect(sizes).toEqual([7, 7, 7, 7, 2])
  })

  test('leaves logs out for a consumer that did not ask for them', async () => {
    const log = { address: `0x${'11'.repeat(20)}`, topics: [`0x${'22'.repeat(32)}`], data: '0x33' } as const
    const feed = await start({ feedOptions: { transactions: () => [{ logs: [log] }] } })
    feed.commit(1)
    const lean = consume({ consumerId: 'lean' })
    const full = consume({ consumerId: 'full', profile: 'receipts' })
    await lean.until('block 1', () => lean.notifications.length === 1)
    await full.until('block 1', () => full.notifications.length === 1)
    const logsOf = (consumer: ObservedConsumer) => {
      const [one] = consumer.notifications
      return one === undefined || one.kind === 'reverted'
        ? undefined
        : one.blocks[0]!.transactions.logs.length
    }
    expect(logsOf(lean)).toBe(0)
    expect(logsOf(full)).toBe(20 + 1 + 32 + 4 + 1)
  })

  test('refuses a profile the source cannot fill', async () => {
    await start({ feedOptions: { hasLogs: false } })
    const consumer = consume({ profile: 'receipts' })
    await consumer.until('the end', () => consumer.error !== undefined)
    expect(consumer.error).toMatchObject({ code: 'PROFILE_UNAVAILABLE' })
  })

  test('keeps a consumer while the source fails, and goes on when it answers', async () => {
    const feed = await start()
    feed.commit(5)
    feed.failReads(3)
    const consumer = consume()
    await consumer.until('the chain', () => consumer.tip?.hash === feed.head.hash)
    expect(consumer.disconnects).toEqual([])
  })

  test('stays open while the node is syncing, and says so', async () => {
    const feed = await start()
    feed.setSyncing(true)
    const consumer = consume()
    await consumer.until('heads', () => consumer.client.state().syncing)
    expect(consumer.events).toContainEqual(
      expect.objectContaining({ type: 'heads', syncing: true, head: feed.head }),
    )
    expect(consumer.disconnects).toEqual([])
  })

  test('names the oldest block when history is pruned below the cursor', async () => {
    const feed = await start()
    feed.commit(10)
    feed.prune(6n)
    const consumer = consume({ start: 3n })
    await consumer.until('the end', () => consumer.error !== undefined)
    expect(consumer.error).toMatchObject({ code: 'HISTORY_PRUNED', fatal: true })
    expect(consumer.error!.expected).toContain('6')
    const oldest = consume({ start: 6n, consumerId: 'oldest' })
    await oldest.until('the rest', () => oldest.tip?.hash === feed.head.hash)
  })

  test('serves over a unix socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'exex-'))
    const feed = await start({ listen: `unix:${join(folder, 'exex.sock')}` })
    feed.commit(2)
    const consumer = consume()
    await consumer.until('the chain', () => consumer.tip?.hash === feed.head.hash)
    consumer.stop()
    await subject.close()
    await rm(folder, { recursive: true })
  })
})

describe('finished height', () => {
  test('waits for the slowest durable consumer, never for an observer', async () => {
    const feed = await start()
    feed.commit(6)
    const quick = consume({ consumerId: 'quick', acknowledges: true })
    const observer = consume({ consumerId: 'observer', mode: 'observer' })
    const late = consume({ consumerId: 'late' })
    for (const one of [quick, observer, late])
      await one.until('the chain', () => one.tip?.hash === feed.head.hash)
    feed.finalize(5n)
    late.client.acknowledge(late.chain[4]!, late.chain[3]!)
    await late.until('the height', () => feed.finishedHeights.at(-1)?.number === 3n)
    expect(feed.finishedHeights.at(-1)).toEqual(feed.canonical[3])
    late.client.acknowledge(late.tip!, late.tip!)
    await late.until('finalized', () => feed.finishedHeights.at(-1)?.number === 5n)
  })

  test('takes head minus the finality depth where the node has no finalized block', async () => {
    const feed = await start({ finalityDepth: 4n })
    feed.commit(10)
    const consumer = consume({ acknowledges: true })
    await consumer.until('the height', () => feed.finishedHeights.length > 0)
    expect(feed.finishedHeights.at(-1)).toEqual(feed.canonical[6])
  })

  test('never names a block of a branch that was undone', async () => {
    const feed = await start({ finalityDepth: 0n })
    feed.commit(6)
    const consumer = consume({ acknowledges: true })
    await consumer.until('the height', () => feed.finishedHeights.at(-1)?.number === 6n)
    feed.reorg(3, 4)
    await consumer.until('the new branch', () => consumer.tip?.hash === feed.head.hash)
    feed.commit(1)
    await consumer.until('a height on it', () => (feed.finishedHeights.at(-1)?.number ?? 0n) >= 7n)
    const last = feed.finishedHeights.at(-1)!
    expect(last).toEqual(feed.canonical[Number(last.number)])
  })

  test('does not wait for an evicted consumer, tells it, and takes it back when it can be served', async () => {
    const feed = await start({ evictAfterBlocks: 5n })
    feed.commit(3)
    const stuck = consume({ consumerId: 'stuck' })
    const alive = consume({ consumerId: 'alive', acknowledges: true })
    for (const one of [stuck, alive]) await one.until('the chain', () => one.tip?.hash === feed.head.hash)
    stuck.client.acknowledge(stuck.chain[1]!, stuck.chain[1]!)
    await stuck.until(
      'taken',
      () => subject.server.consumers().find((one) => one.id === 'stuck')?.durable?.number === 1n,
    )
    feed.commit(6)
    await alive.until('its height', () =>
      subject.server.consumers().some((one) => one.id === 'alive' && one.durable?.number === 9n),
    )
    feed.finalize(8n)
    await stuck.until('the directive', () =>
      stuck.events.some((event) => event.type === 'directive' && event.kind === 'evicted'),
    )
    await alive.until('the height', () => feed.finishedHeights.at(-1)?.number === 8n)
    expect(subject.server.consumers()).toContainEqual(expect.objectContaining({ id: 'stuck', evicted: true }))
    const chain = [...stuck.chain]
    stuck.stop()
    const back = consume({ consumerId: 'stuck', chain })
    await back.until('welcome', () => back.events.length > 0)
    expect(back.error).toBeUndefined()
    expect(subject.server.consumers()).toContainEqual(
      expect.objectContaining({ id: 'stuck', evicted: false }),
    )
  })

  test('answers an acknowledgement that crossed a reorg with the height as it was', async () => {
    const feed = await start()
    feed.commit(5)
    const session = await rawSession()
    session.send(hello())
    session.send({ type: 'credit', bytes: 1_000_000n, notifications: 100 })
    await session.until((frame) => frame.type === 'end')
    const [, , , , four, five] = feed.canonical
    session.send({ type: 'ack', processed: four, durable: feed.canonical[2] })
    await session.until((frame) => frame.type === 'acknowledged')
    feed.reorg(2, 3)
    await session.until((frame) => frame.type === 'end' && frame.cursor.number === 6n)
    session.send({ type: 'ack', processed: five, durable: five })
    const answer = await session.until((frame) => frame.type === 'acknowledged')
    expect(answer).toMatchObject({ durable: feed.canonical[2] })
    session.close()
  })

  test.each([
    ['above what was sent', { number: 99n, hash: `0x${'aa'.repeat(32)}` }],
    ['of another block at a sent height', { number: 2n, hash: `0x${'aa'.repeat(32)}` }],
  ] as const)('refuses an acknowledgement %s and closes', async (_, ref) => {
    const feed = await start()
    feed.commit(3)
    const session = await rawSession()
    session.send(hello())
    session.send({ type: 'credit', bytes: 1_000_000n, notifications: 100 })
    await session.until((frame) => frame.type === 'end')
    session.send({ type: 'ack', processed: ref, durable: ref })
    const error = await session.until((frame) => frame.type === 'error')
    expect(error).toMatchObject({ code: 'BAD_ACK' })
    expect(await session.ended).toBe(status.INVALID_ARGUMENT)
    expect(feed.finishedHeights).toEqual([])
    session.close()
  })

  test('refuses a durable height above the processed one', async () => {
    const feed = await start()
    feed.commit(3)
    const session = await rawSession()
    session.send(hello())
    session.send({ type: 'credit', bytes: 1_000_000n, notifications: 100 })
    await session.until((frame) => frame.type === 'end')
    session.send({ type: 'ack', processed: feed.canonical[1], durable: feed.canonical[2] })
    expect(await session.until((frame) => frame.type === 'error')).toMatchObject({ code: 'BAD_ACK' })
    session.close()
  })
})

describe('sessions', () => {
  test.each<[string, Partial<HelloFrame>, string, number]>([
    [
      'a version nobody speaks',
      { protocolMin: 7, protocolMax: 9 },
      'VERSION_MISMATCH',
      status.FAILED_PRECONDITION,
    ],
    ['a frame limit too small', { maxFrameBytes: 10 }, 'BAD_REQUEST', status.INVALID_ARGUMENT],
    ['a start above the head', { start: 100n }, 'BAD_REQUEST', status.INVALID_ARGUMENT],
    [
      'a locator without bound',
      {
        locator: Array.from({ length: 300 }, (_, i) => ({
          number: BigInt(i),
          hash: `0x${'01'.repeat(32)}` as const,
        })),
      },
      'BAD_REQUEST',
      status.INVALID_ARGUMENT,
    ],
  ])('refuses %s', async (_, fields, code, grpcStatus) => {
    await start()
    const session = await rawSession()
    session.send({ ...hello(), ...fields })
    expect(await session.until((frame) => frame.type === 'error')).toMatchObject({ code })
    expect(await session.ended).toBe(grpcStatus)
    session.close()
  })

  test('refuses a first frame that is not Hello', async () => {
    await start()
    const session = await rawSession()
    session.send({ type: 'credit', bytes: 1n, notifications: 1 })
    expect(await session.until((frame) => frame.type === 'error')).toMatchObject({
      code: 'MALFORMED',
      expected: 'hello first',
    })
    session.close()
  })

  test('closes a session whose client does not answer heartbeats', async () => {
    await start({ pingMs: 40, pingTimeoutMs: 80 })
    const session = await rawSession()
    session.send(hello())
    expect(await session.until((frame) => frame.type === 'error')).toMatchObject({ code: 'SILENCE' })
    expect(await session.ended).toBe(status.DEADLINE_EXCEEDED)
    session.close()
  })

  test('keeps a session whose client answers them', async () => {
    await start({ pingMs: 20, pingTimeoutMs: 400 })
    const consumer = consume()
    await consumer.until(
      'heartbeats',
      () => consumer.events.filter((event) => event.type === 'heads').length > 30,
    )
    expect(consumer.disconnects).toEqual([])
  })

  test('refuses acknowledgements of a fenced session', async () => {
    const feed = await start()
    feed.commit(3)
    const session = await rawSession()
    session.send({ ...hello(), consumerId: 'twin' })
    session.send({ type: 'credit', bytes: 1_000_000n, notifications: 100 })
    await session.until((frame) => frame.type === 'end')
    const fresh = consume({ consumerId: 'twin' })
    await fresh.until('welcome', () => fresh.events.length > 0)
    session.send({ type: 'ack', processed: feed.canonical[3], durable: feed.canonical[3] })
    expect(await session.ended).toBe(status.ABORTED)
    await fresh.until('the chain', () => fresh.tip?.hash === feed.head.hash)
    expect(subject.server.consumers()).toContainEqual(
      expect.objectContaining({ id: 'twin', durable: undefined }),
    )
    session.close()
  })

  test('ends the stream when its signal is aborted', async () => {
    await start()
    const controller = new AbortController()
    const consumer = consume({ signal: controller.signal })
    await consumer.until('welcome', () => consumer.events.length > 0)
    controller.abort()
    await consumer.until('completion', () => consumer.completed)
    expect(consumer.client.state().connected).toBe(false)
  })
})

describe('calls for tools', () => {
  test('tell a client of this project what it would attach to', async () => {
    const feed = await start({ tokens: [{ token: 'any' }] })
    feed.commit(4)
    feed.finalize(2n)
    const info = await getExExInfo({ url: subject.url, token: 'any' })
    expect(info).toMatchObject({
      chainId: 1337n,
      genesisHash: feed.genesisHash,
      head: feed.head,
      finalized: feed.canonical[2],
    })
    await expect(getExExInfo({ url: subject.url })).rejects.toMatchObject({
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
    await consumer.until('the session is gone', () => true)
    await expect.poll(() => subject.server.consumers()[0]?.connected).toBe(false)
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
    await expect.poll(check).toEqual(Buffer.of(0x08, 2))
  })

  test('let a tool read the contract by reflection, when it is on', async () => {
    await start({ reflection: true })
    for (const version of ['v1', 'v1alpha']) {
      const client = new Client(subject.server.address, credentials.createInsecure())
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
      startExExServer({ source: createScriptedFeed(), listen: subject.server.address }, { logger: quiet }),
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

function hello(): HelloFrame {
  return {
    type: 'hello',
    protocolMin: 1,
    protocolMax: 1,
    features: [],
    consumerId: 'raw',
    mode: 'durable',
    chainId: 0n,
    genesisHash: undefined,
    profile: 'transactions',
    maxFrameBytes: 0,
    locator: [],
    start: undefined,
    finalized: undefined,
    durable: undefined,
  }
}

/** A client that says what it is told to, right or wrong. */
async function rawSession() {
  const client = new Client(subject.server.address, credentials.createInsecure())
  const { path, requestSerialize, responseDeserialize } = exExMethods.session
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
  const frames: ServerFrame[] = []
  let look = () => {}
  let read = 0
  stream.on('data', (bytes: Buffer) => {
    frames.push(...decodeServerFrames(bytes))
    look()
  })
  const ended = new Promise<number>((resolve) => {
    stream.on('error', () => {})
    stream.on('status', (end) => resolve(end.code))
  })
  return {
    ended,
    send: (frame: ClientFrame) => void stream.write(encodeClientFrame(frame)),
    /** The next frame not looked at before for which this holds. */
    until: (condition: (frame: ServerFrame) => boolean) =>
      new Promise<ServerFrame>((resolve) => {
        look = () => {
          while (read < frames.length) {
            const frame = frames[read++]!
            if (!condition(frame)) continue
            look = () => {}
            resolve(frame)
            return
          }
        }
        look()
      }),
    close: () => {
      stream.cancel()
      client.close()
    },
  }
}

type Method<Request, Response> = {
  readonly path: string
  readonly requestSerialize: (request: Request) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => Response
}

function call<Request, Response>(
  method: Method<Request, Response>,
  request: Request,
  token?: string,
): Promise<Response> {
  const client = new Client(subject.server.address, credentials.createInsecure())
  const metadata = new Metadata()
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`)
  return new Promise<Response>((resolve, reject) => {
    const { path, requestSerialize, responseDeserialize } = method
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      (error, response) => {
        client.close()
        if (error !== null) reject(error)
        else resolve(response!)
      },
    )
  })
}
