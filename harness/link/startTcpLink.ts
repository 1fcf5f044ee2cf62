import { once } from 'node:events'
import { createServer, type Server, Socket } from 'node:net'
import type { Link, LinkState } from './types.ts'

type Pair = { readonly near: Socket; readonly far: Socket; readonly ways: readonly Way[] }

/** Bytes held for one way of one connection before its sender is no longer read. */
const heldBytes = 1 << 20
/** A slow wire is not smoother than this. */
const sliceMs = 5

/** A link in this process. @param target `host:port` of the server */
export async function startTcpLink(name: string, target: string): Promise<Link> {
  let goal = target
  const pairs = new Set<Pair>()
  let state: LinkState = {}
  let isStalled = false

  const connect = (near: Socket) => {
    const far = new Socket()
    const split = goal.lastIndexOf(':')
    far.connect(Number(goal.slice(split + 1)), goal.slice(0, split))
    near.setNoDelay(true)
    far.setNoDelay(true)
    const settings = () => ({ state, isStalled })
    const ways = [forward(near, far, settings), forward(far, near, settings)]
    const pair = { near, far, ways }
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      for (const way of ways) way.stop()
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) {
      // Whoever breaks it, the other side is told by the end of its own connection.
      socket.on('error', end)
      socket.on('close', end)
    }
  }
  let server: Server = createServer(connect)
  const listen = async (at: number) => {
    server = createServer(connect).listen(at, '127.0.0.1')
    await once(server, 'listening')
  }
  await listen(0)
  const own = (server.address() as { port: number }).port
  const refuse = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    await closed
  }
  const drop = (how: (pair: Pair) => void) => {
    for (const pair of [...pairs]) how(pair)
  }
  const reset = async () => drop(({ near, far }) => [near.resetAndDestroy(), far.resetAndDestroy()])
  const close = async () => {
    drop(({ near }) => near.destroy())
    await refuse()
  }
  return {
    name,
    address: `127.0.0.1:${own}`,
    set: async (next) => {
      state = next
    },
    cut: async () => {
      const refused = refuse()
      drop(({ near }) => near.destroy())
      await refused
    },
    stall: async () => {
      isStalled = true
    },
    reset,
    restore: async () => {
      isStalled = false
      state = {}
      for (const { ways } of pairs) for (const way of ways) way.wake()
      if (!server.listening) await listen(own)
    },
    lead: async (next) => {
      goal = next
      await reset()
    },
    [Symbol.asyncDispose]: close,
  }
}

type Way = { readonly wake: () => void; readonly stop: () => void }

/** Carries one direction, chunk by chunk, each when its time has come. */
function forward(
  from: Socket,
  to: Socket,
  settings: () => { readonly state: LinkState; readonly isStalled: boolean },
): Way {
  /** `undefined` is the end of the stream. */
  const queue: { readonly due: number; readonly bytes: Buffer | undefined }[] = []
  let held = 0
  let freeAt = 0
  let timer: NodeJS.Timeout | undefined
  const turn = () => {
    timer = undefined
    const { state, isStalled } = settings()
    while (queue.length > 0 && !isStalled) {
      const now = performance.now()
      const { due, bytes } = queue[0]!
      const wait = Math.max(due, freeAt) - now
      if (wait > 0) {
        timer = setTimeout(turn, wait)
        return
      }
      queue.shift()
      if (bytes === undefined) {
        to.end()
        continue
      }
      held -= bytes.length
      to.write(bytes)
      if (state.bytesPerSecond !== undefined) freeAt = now + (bytes.length / state.bytesPerSecond) * 1000
      if (held < heldBytes && !to.writableNeedDrain) from.resume()
    }
  }
  const wake = () => {
    if (timer === undefined) turn()
  }
  const push = (bytes: Buffer | undefined) => {
    queue.push({ due: performance.now() + (settings().state.delayMs ?? 0), bytes })
    wake()
  }
  from.on('data', (bytes: Buffer) => {
    held += bytes.length
    const { bytesPerSecond } = settings().state
    const slice = bytesPerSecond === undefined ? bytes.length : Math.max(1, (bytesPerSecond * sliceMs) / 1000)
    for (let at = 0; at < bytes.length; at += slice) push(bytes.subarray(at, at + slice))
    if (held >= heldBytes || to.writableNeedDrain) from.pause()
  })
  from.on('end', () => push(undefined))
  to.on('drain', () => {
    if (held < heldBytes) from.resume()
  })
  return { wake, stop: () => clearTimeout(timer) }
}
