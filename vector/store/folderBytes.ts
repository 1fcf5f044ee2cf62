import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes of all files in a folder and below, while others work there: what is removed between a listing and a look counts nothing. */
export async function folderBytes(folder: string): Promise<number> {
  const entries = await unlessGone(readdir(folder, { withFileTypes: true }), [])
  let bytes = 0
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) bytes += await folderBytes(path)
    else if (entry.isFile()) bytes += (await unlessGone(stat(path), { size: 0 })).size
  }
  return bytes
}

async function unlessGone<T, U>(read: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await read
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise
    throw error
  }
}
