// How fast blocks go from a server process over gRPC into decoded columns in this one; nothing is done with them.
//   node bench/micro/decode/delivery.ts [--blocks N] [--transactions N] [--rounds N]
import { type ChildProcess, fork } from 'node:child_process'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { createScriptedFeed } from '../../../harness/feed/index.ts'
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
  process.send!(server.address)
  process.on('message', () => process.send!(process.cpuUsage()))
  process.on('disconnect', () => process.exit(0))
}

async function measure(): Promise<void> {
  const child = fork(import.meta.filename, [...process.argv.slice(2), '--server'])
  const address = await new Promise<string>((resolve) => child.once('message', (message) => resolve(String(message))))
  for (let round = 0; round < Number(values.rounds); round++) {
    const serverBefore = await cpuOf(child)
    const { seconds, bytes, cpuSeconds } = await receiveAll(address)
    const serverSeconds = (await cpuOf(child)) - serverBefore
    const rate = blockCount / seconds
    console.log(
      `${blockCount} blocks of ${perBlock}: ${Math.round(rate)} blocks/s, ${Math.round(rate * perBlock)} tx/s, ` +
        `${Math.round(bytes / seconds / 1e6)} MB/s; processor time a block: server ${perBlockMicros(serverSeconds)} µs, ` +
        `client ${perBlockMicros(cpuSeconds)} µs`,
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
        resolve({ seconds: (performance.now() - start) / 1000, bytes, cpuSeconds: (used.user + used.system) / 1e6 })
        queueMicrotask(() => subscription.unsubscribe())
      },
      error: reject,
    })
  })
}
