import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ScriptedFeed } from '../../../harness/feed/index.ts'
import type { Status } from '../../../sidecar/status.ts'
import type { ContextAnswer } from '../../../vector/index.ts'
import { limitedFolder, noLimitedFolder } from '../../support/program/limitedFolder.ts'
import { healthOf, statusOf, untilDurable } from '../../support/program/programAnswers.ts'
import { type Program, startProgram } from '../../support/program/startProgram.ts'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'
import { startScriptedServer } from '../exex/startScriptedServer.ts'

const epochs = ['context.epoch=4', 'context.lag=2']

/** A sidecar whose vector store, and nothing else of it, is on the folder given. */
async function attach(
  url: string,
  directory: string,
  vector: string,
  settings: readonly string[],
): Promise<Program> {
  await mkdir(join(vector, 'vector'))
  await symlink(join(vector, 'vector'), join(directory, 'vector'))
  const set = [...epochs, ...settings].flatMap((setting) => ['--set', setting])
  const flags = ['--profile', 'test', '--data-dir', directory, '--http', '127.0.0.1:0', '--json']
  return await startProgram(['attach', url, ...flags, ...set])
}

/** Blocks that a store of no room is told of. */
function commit(feed: ScriptedFeed, count: number): { readonly hash: string } {
  feed.commit(count)
  return feed.head
}

describe.skipIf(noLimitedFolder)('with no room left for the vector store', () => {
  test('the sidecar waits at a boundary, says so, answers meanwhile, and decides as if nothing had been', async () => {
    await using server = await scripted()
    await using disk = await limitedFolder(64)
    await using folder = await temporaryFolder()
    await using program = await attach(server.url, folder.path, disk.path, [])
    await untilDurable(program, commit(server.feed, 8))
    await program.until(
      '/context?query=transactions',
      ({ body }) => (body as ContextAnswer).asOf?.number === '8',
    )
    disk.fill()
    const head = commit(server.feed, 20)
    const refused = await program.until('/health', ({ status }) => status === 503)
    expect(healthOf(refused).problems).toEqual([
      { code: 'VECTOR_STORE', message: expect.stringContaining('disk is full'), fatal: false },
    ])
    expect((await program.get('/context?query=transactions')).status).toBe(200)
    await program.until('/ready', () => program.stderr().includes('context unavailable, waiting for it'))
    const waiting = await statusOf(program)
    expect(Number(waiting.durable?.number)).toBeLessThan(Number(server.feed.head.number))
    disk.release()
    const done = await untilDurable(program, head)
    await program.until('/health', ({ status }) => status === 200)

    await using soundDisk = await temporaryFolder()
    await using soundFolder = await temporaryFolder()
    await using sound = await attach(server.url, soundFolder.path, soundDisk.path, [
      'general.instance_id=sound',
    ])
    expect((await untilDurable(sound, head)).decisionsHash).toBe(done.decisionsHash)
  })

  test('where it is configured to, the sidecar goes on without context, and says so', async () => {
    await using server = await scripted()
    await using disk = await limitedFolder(64)
    await using folder = await temporaryFolder()
    await using program = await attach(server.url, folder.path, disk.path, ['context.on_unavailable=none'])
    await untilDurable(program, commit(server.feed, 8))
    disk.fill()
    const status: Status = await untilDurable(program, commit(server.feed, 20))
    expect(status.blocks).toBe(Number(server.feed.head.number))
    expect(healthOf(await program.get('/health')).problems.map(({ code }) => code)).toEqual(['VECTOR_STORE'])
    expect(program.stderr()).toContain('deciding the epoch without it')
  })
})

async function scripted() {
  const server = await startScriptedServer()
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.close() })
}
