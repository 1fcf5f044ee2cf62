import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TemporaryFolder, temporaryFolder } from './temporaryFolder.ts'

/** A file system of its own, in memory, that can be filled up or made read-only. */
export type LimitedFolder = TemporaryFolder & {
  /** Leaves no byte free. */
  fill(): void
  /** Gives back what `fill` took. */
  release(): void
  setReadOnly(): void
}

/** Why there can be none here, in words; undefined where there can: it takes root, and a kernel that lets it mount. */
export const noLimitedFolder: string | undefined = (() => {
  if (process.getuid?.() !== 0) return 'only root may mount a file system'
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/mnt'], {
      stdio: 'pipe',
    })
    return undefined
  } catch (error) {
    return `no file system can be mounted: ${(error as Error).message}`
  }
})()

/** @param megabytes its size; mounted until disposed */
export async function limitedFolder(megabytes: number): Promise<LimitedFolder> {
  const outer = await temporaryFolder()
  const path = join(outer.path, 'disk')
  mkdirSync(path)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path])
  const filler = join(path, 'filler')
  return {
    path,
    fill() {
      for (const size of [1 << 20, 1 << 12, 1]) {
        try {
          for (;;) appendFileSync(filler, Buffer.alloc(size))
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        }
      }
    },
    release: () => rmSync(filler),
    setReadOnly: () => execFileSync('mount', ['-o', 'remount,ro', path]),
    async [Symbol.asyncDispose]() {
      execFileSync('umount', ['--lazy', path])
      await outer[Symbol.asyncDispose]()
    },
  }
}
