import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** Folder of the recorded mainnet blocks: `MONMOUTH_SHARED`, or `../shared` beside the project. */
export const recordedFolder = join(
  process.env.MONMOUTH_SHARED ?? join(projectRoot, '..', 'shared'),
  'data',
  'ethereum',
)
export const hasRecordedBlocks = existsSync(join(recordedFolder, 'blocks.jsonl.gz'))

// biome-ignore lint/suspicious/noExplicitAny: recorded JSON, which the test reads field by field.
export type RecordedJson = any
export type RecordedReceipts = {
  readonly number: string
  readonly hash: string
  readonly derivedStatus?: Record<string, string>
  readonly receipts: RecordedJson[]
}

/** One JSON value a line. */
export function readRecorded<T>(name: string): T[] {
  const text = gunzipSync(readFileSync(join(recordedFolder, name))).toString('utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}
