// How fast blocks go from a server process over gRPC into decoded columns in this one; nothing is done with them.
// Beside it, in the same run: the same bytes as raw gRPC messages of one block each, which nobody reads.
//   node bench/micro/decode/delivery.ts [--blocks N] [--transactions N] [--rounds N]
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { Client, credentials, Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js'
import { pino } from 'pino'
import { createScriptedFeed } from '../../../harness/feed/index.ts'
import { encodeBlock } from '../../../sidecar/exex/blockCodec.ts'
import { connectExEx } from '../../../sidecar/exex/client/connectExEx.ts'
import { startExExServer } from '../../../sidecar/exex/server/index.ts'
import type { Block } from '../../../sidecar/notification/types.ts'
import { recordedBlocks } from './recordedBlocks.ts'

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '3000' },
    transactions: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '5' },
    server: { type: 'boolean', default: false },
  },
})
const blockCount = Number(values.blocks)
const perBlock = Number(values.transactions)
const logger = pino({ level: 'warn' })

if (values.server) await serve()
else await measure()

async function serve(): Promise<void> {
  const feed = createScriptedFeed()
  const recorded = recordedBlocks(100, perBlock, { logs: false })
  if (recorded === undefined) throw new Error('the recorded blocks are not here: set MONMOUTH_SHARED')
  let parent = feed.genesis
  const chain = Array.from({ length: blockCount }, (_, i): Block => {
    const number = BigInt(i + 1)
    const ref = { number, hash: `0x${number.toString(16).padStart(64, '0')}` } as const
    const block = { ...recorded[i % recorded.length]!, ref, parent }
    parent = ref
    return block
  })
  feed.commit(chain)
  const server = await startExExServer({ source: feed, listen: '127.0.0.1:0' }, { logger })
  process.send!([server.address, await serveRaw(bytesOf(chain))])
  process.on('message', () => process.send!(process.cpuUsage()))
  process.on('disconnect', () => process.exit(0))
}

function raw(bytes: Buffer): Buffer {
  return bytes
}

function bytesOf(chain: readonly Block[]): number {
  const sample = chain.slice(0, 100)
  return Math.round(sample.reduce((sum, block) => sum + encodeBlock(block).bytes.length, 0) / sample.length)
}

/** Streams one buffer of `size` bytes as often as there are blocks. */
async function serveRaw(size: number): Promise<string> {
  const server = new Server()
  const message = Buffer.alloc(size, 0x5a)
  const method = { path: '/raw/Stream', requestStream: false, responseStream: true } as const
  const codec = {
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: raw,
    responseDeserialize: raw,
  }
  server.addService(
    { stream: { ...method, ...codec } },
    {
      stream: async (call: ServerWritableStream<Buffer, Buffer>) => {
        for (let i = 0; i < blockCount; i++) if (!call.write(message)) await once(call, 'drain')
        call.end()
      },
    },
  )
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(`127.0.0.1:${port}`) : reject(error),
    )
  })
}

/** Seconds it takes to receive them. */
function receiveRaw(address: string): Promise<number> {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc-node.flow_control_window': 8 << 20,
  })
  return new Promise((resolve, reject) => {
    const call = client.makeServerStreamRequest('/raw/Stream', raw, raw, Buffer.alloc(0))
    let start = 0
    call.on('data', () => {
      if (start === 0) start = performance.now()
    })
    call.on('end', () => {
      client.close()
      resolve((performance.now() - start) / 1000)
    })
    call.on('error', reject)
  })
}

async function measure(): Promise<void> {
  const child = fork(import.meta.filename, [...process.argv.slice(2), '--server'])
  const [address, rawAddress] = await new Promise<[string, string]>((resolve) => {
    child.once('message', (message: [string, string]) => resolve(message))
  })
  for (let round = 0; round < Number(values.rounds); round++) {
    const serverBefore = await cpuOf(child)
    const { seconds, bytes, cpuSeconds } = await receiveAll(address)
    const serverSeconds = (await cpuOf(child)) - serverBefore
    const rate = blockCount / seconds
    const rawRate = blockCount / (await receiveRaw(rawAddress))
    console.log(
      `${blockCount} blocks of ${perBlock}: ${Math.round(rate)} blocks/s, ${Math.round(rate * perBlock)} tx/s, ` +
        `${Math.round(bytes / seconds / 1e6)} MB/s; processor time a block: server ${perBlockMicros(serverSeconds)} µs, ` +
        `client ${perBlockMicros(cpuSeconds)} µs; raw ${Math.round(rawRate)} blocks/s, ratio ${(rate / rawRate).toFixed(2)}`,
    )
  }
  child.disconnect()
}

function perBlockMicros(seconds: number): number {
  return Math.round((seconds / blockCount) * 1e6)
}

function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu')
  return new Promise((resolve) => {
    child.once('message', (usage: NodeJS.CpuUsage) => resolve((usage.user + usage.system) / 1e6))
  })
}

function receiveAll(address: string): Promise<{ seconds: number; bytes: number; cpuSeconds: number }> {
  return new Promise((resolve, reject) => {
    const client = connectExEx(
      {
        url: `grpc://${address}`,
        consumerId: 'bench',
        mode: 'observer',
        locator: () => ({ blocks: [], finalized: undefined, durable: undefined }),
      },
      { logger },
    )
    let blocks = 0
    let bytes = 0
    let start = 0
    let cpu = process.cpuUsage()
    const subscription = client.events$.subscribe({
      next(event) {
        if (event.type === 'welcome') {
          start = performance.now()
          cpu = process.cpuUsage()
        }
        if (event.type !== 'notification' || event.notification.kind === 'reverted') return
        blocks += event.notification.blocks.length
        bytes += event.notification.bytes
        client.grant(event.notification)
        if (blocks < blockCount) return
        const used = process.cpuUsage(cpu)
        resolve({
          seconds: (performance.now() - start) / 1000,
          bytes,
          cpuSeconds: (used.user + used.system) / 1e6,
        })
        queueMicrotask(() => subscription.unsubscribe())
      },
      error: reject,
    })
  })
}
