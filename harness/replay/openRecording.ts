import { createReadStream, existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import type { Block } from '#exex/server'
import { HarnessError } from '../errors.ts'

/** Turns `eth_getBlockByNumber(n, true)` and its receipts into a block; `#exex/server` has one. */
export type BlockFromJson = (
  json: unknown,
  receipts: readonly unknown[] | undefined,
  options?: { readonly derivedStatus?: Readonly<Record<string, string>> | undefined },
) => Block

/** Recorded blocks in the order of the files, decoded as they are asked for. */
export type Recording = {
  readonly files: readonly string[]
  /** From the block of this index on; calling it again reads them again. */
  readonly blocks: (from: number) => AsyncIterable<Block>
}

type Receipts = {
  readonly receipts: readonly unknown[]
  readonly derivedStatus?: Readonly<Record<string, string>>
}

/**
 * Opens recorded blocks: JSON lines, `.gz` or not. Receipts are found in `receipts.jsonl` or `receipts.jsonl.gz` of the
 * same folder (lines `{hash, receipts}`), by block hash. Decoded blocks are kept up to `cacheBytes` (default 256 MiB),
 * so that short recordings are read once; what is beyond is read again each time.
 *
 * @throws HarnessError `REPLAY_FILE` when a file is missing, here; or holds something else than blocks, when it is read,
 *   with the line.
 */
export function openRecording(
  files: readonly string[],
  blockFromJson: BlockFromJson,
  cacheBytes = 256 * 1024 * 1024,
): Recording {
  const missing = files.filter((file) => !existsSync(file) || !statSync(file).isFile())
  if (files.length === 0 || missing.length > 0) {
    const came = files.length === 0 ? 'none' : `missing: ${missing.join(', ')}`
    throw new HarnessError('REPLAY_FILE', `expected files of recorded blocks (JSON lines), got ${came}`)
  }
  const cache: Block[] = []
  let room = cacheBytes
  let complete = false
  let full = false

  async function* blocks(from: number): AsyncGenerator<Block> {
    let index = from
    for (; index < cache.length; index++) yield cache[index]!
    if (complete) return
    let at = 0
    for await (const block of decodeFiles(files, blockFromJson, index)) {
      // Only a reader that is exactly at the end of what is kept adds to it: there may be several.
      const position = index + at++
      if (!full && position === cache.length) {
        const bytes = sizeOf(block)
        full = bytes > room
        if (!full) {
          room -= bytes
          cache.push(block)
        }
      }
      yield block
    }
    complete ||= !full && cache.length === index + at
  }
  return { files, blocks }
}

async function* decodeFiles(
  files: readonly string[],
  blockFromJson: BlockFromJson,
  skip: number,
): AsyncGenerator<Block> {
  let passed = 0
  for (const file of files) {
    let receipts: Map<string, string> | undefined
    let line = 0
    for await (const text of linesOf(file)) {
      line += 1
      if (text.trim() === '' || passed++ < skip) continue
      receipts ??= await indexReceipts(file)
      try {
        const json = JSON.parse(text) as { hash?: string }
        const found = receipts.get(json.hash ?? '')
        if (found === undefined) yield blockFromJson(json, undefined)
        else {
          const of = JSON.parse(found) as Receipts
          yield blockFromJson(json, of.receipts, { derivedStatus: of.derivedStatus })
        }
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw new HarnessError('REPLAY_FILE', `expected a block at ${file}:${line}: ${reason}`, { cause })
      }
    }
  }
}

/** Lines by block hash, undecoded: most of the size of a receipt is in what decoding would make of it. */
async function indexReceipts(blocksFile: string): Promise<Map<string, string>> {
  const byHash = new Map<string, string>()
  const folder = dirname(blocksFile)
  const file = ['receipts.jsonl', 'receipts.jsonl.gz']
    .map((name) => join(folder, name))
    .find((path) => existsSync(path))
  if (file === undefined || file === blocksFile) return byHash
  for await (const text of linesOf(file)) {
    const hash = /"hash"\s*:\s*"(0x[0-9a-fA-F]{64})"/.exec(text.slice(0, 400))?.[1]
    if (hash !== undefined) byHash.set(hash, text)
  }
  return byHash
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const raw = createReadStream(file)
  const input = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw
  // `pipe` does not carry errors over, and readline waits for lines that never come.
  const failed = new Promise<never>((_, reject) => {
    raw.once('error', reject)
    input.once('error', reject)
  })
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await Promise.race([lines.next(), failed])
      if (next.done === true) return
      yield next.value
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HarnessError('REPLAY_FILE', `expected to read ${file}: ${reason}`, { cause })
  } finally {
    // Also observes a failure after the last line was taken.
    failed.catch(() => undefined)
    raw.destroy()
  }
}

function sizeOf(block: Block): number {
  const { count, inputs, logs } = block.transactions
  // 140 bytes of fixed columns a row, and some for the objects.
  return 2048 + 140 * count + inputs.length + logs.length
}
