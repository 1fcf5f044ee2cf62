import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folderBytes } from '../../../../vector/store/folderBytes.ts'
import { temporaryDirectory } from '../support.ts'

test('a folder is measured while others are removed from it', async () => {
  await using directory = await temporaryDirectory()
  await mkdir(join(directory.path, 'kept', 'deep'), { recursive: true })
  await writeFile(join(directory.path, 'kept', 'a'), 'abc')
  await writeFile(join(directory.path, 'kept', 'deep', 'b'), 'defg')
  const names = Array.from({ length: 8 }, (_, index) => join(directory.path, `going ${index}`))
  let isDone = false
  const comeAndGo = async (path: string) => {
    while (!isDone) {
      await mkdir(join(path, 'inner'), { recursive: true })
      await rm(path, { recursive: true, force: true })
    }
  }
  const going = names.map(comeAndGo)
  const measured: number[] = []
  for (let time = 0; time < 200; time += 1) measured.push(await folderBytes(directory.path))
  isDone = true
  await Promise.all(going)
  expect(new Set(measured)).toEqual(new Set([7]))
})
