import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConfigError, loadConfig } from '#config'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monmouth-config-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('reads the file that --config names', async () => {
  const path = join(folder, 'monmouth.toml')
  await writeFile(path, '[learn]\nlag = 3\n')
  const { config, origins } = await loadConfig({ env: {}, flags: { config: path } })
  expect(config.learn.lag).toBe(3)
  expect(origins['learn.lag']).toEqual({ kind: 'file', path, line: 2 })
})

test('a file that cannot be read is a problem beside the others', async () => {
  const path = join(folder, 'absent.toml')
  const loading = loadConfig({ env: { LOG_LEVEL: 'loud' }, flags: { config: path } })
  await expect(loading).rejects.toBeInstanceOf(ConfigError)
  await expect(loading).rejects.toMatchObject({
    problems: [
      { code: 'bad-file', where: path, got: expect.stringContaining('ENOENT') },
      { code: 'bad-value', key: 'general.log_level' },
    ],
  })
})

test('without --config there is no file', async () => {
  expect((await loadConfig({ env: {} })).config.learn.lag).toBe(1)
})
