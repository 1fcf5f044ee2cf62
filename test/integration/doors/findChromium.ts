import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']

/** A Chromium to drive: the one `CHROMIUM` names, else one on the path; undefined, and said so, when there is none. */
export const chromiumPath = process.env.CHROMIUM ?? onThePath()

if (chromiumPath === undefined) {
  console.warn(`skipped: no browser. Set CHROMIUM, or install one of ${names.join(', ')}.`)
}

function onThePath(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
