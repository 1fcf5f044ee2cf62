import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { spawnTied } from '../../../harness/spawnTied.ts'

const node = (code: string, ...args: string[]) => spawnTied(process.execPath, ['-e', code, ...args])

describe.skipIf(process.platform === 'win32')('spawnTied', () => {
  test('the process is the program itself: its id, its arguments, its output, its exit code', async () => {
    const child = node(
      'console.log(process.pid, process.argv[1]); console.error("why"); process.exitCode = 7',
      'a "b" $c',
    )
    const [out, error, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    expect({ out, error, code }).toEqual({ out: `${child.pid} a "b" $c\n`, error: 'why\n', code: 7 })
  })

  test('signals reach the program, and are told as what ended it', async () => {
    const child = node(
      'process.once("SIGTERM", () => process.exit(9)); console.log("up"); setInterval(() => {}, 1e6)',
    )
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    expect(await once(child, 'close')).toEqual([9, null])
    const killed = node('console.log("up"); setInterval(() => {}, 1e6)')
    await once(killed.stdout, 'data')
    killed.kill('SIGKILL')
    expect(await once(killed, 'close')).toEqual([null, 'SIGKILL'])
  })

  test('it ends with a parent that was killed, even stopped', async () => {
    // It holds a connection for as long as it lives: an id alone would outlive it where nobody waits for orphans.
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const connected = once(server, 'connection') as Promise<[Socket]>
    const program = `const socket = net.connect(${port}, '127.0.0.1'); socket.write(String(process.pid))`
    const module = new URL('../../../harness/spawnTied.ts', import.meta.url).href
    const parent = node(`
      import(${JSON.stringify(module)}).then(({ spawnTied }) => {
        spawnTied(process.execPath, ['-e', ${JSON.stringify(program)}])
      })`)
    const [socket] = await connected
    const [pid] = await once(socket, 'data')
    process.kill(Number(pid), 'SIGSTOP')
    const gone = once(
      socket.resume().on('error', () => {}),
      'close',
    )
    parent.kill('SIGKILL')
    await gone
    server.close()
  })
})
