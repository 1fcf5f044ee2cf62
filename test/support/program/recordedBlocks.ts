import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const shared = process.env.MONMOUTH_SHARED ?? fileURLToPath(new URL('../../../../shared', import.meta.url))

/** Real blocks as `replay` takes them; not part of the package. */
export const recordedBlocks = join(shared, 'data/ethereum/blocks.jsonl.gz')

/** Tests that need them skip then; it is said why. */
export const isRecordingMissing = !existsSync(recordedBlocks)

if (isRecordingMissing) console.warn(`skipped: no recorded blocks at ${recordedBlocks} (set MONMOUTH_SHARED)`)
