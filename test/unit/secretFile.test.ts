import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readSecretLines } from '../../sidecar/secretFile.ts'

async function read(content: Buffer | string): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'secret-file-'))
  try {
    await writeFile(join(folder, 'key'), content)
    return await readSecretLines('chat.key_file', join(folder, 'key'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('lines without comments and blanks', async () => {
  expect(await read('# of the model\n\n  sk-1 \r\nsk-2\n')).toEqual(['sk-1', 'sk-2'])
})

test.each([
  ['nothing', '# only this\n'],
  ['a file in UTF-16', Buffer.from('sk-hush\n', 'utf16le')],
  ['a byte no header takes', 'sk-\0hush\n'],
  ['two words', 'sk hush\n'],
])('%s: refused by the option and the file, and without a word of it', async (_, content) => {
  const error: Error = await read(content).then(
    () => expect.fail('was taken'),
    (cause) => cause,
  )
  expect(error).toMatchObject({ code: 'SECRET_FILE', message: expect.stringContaining('chat.key_file') })
  expect(error.message).not.toContain('hush')
})
