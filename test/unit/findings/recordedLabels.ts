import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { blockFromJson } from '../../../sidecar/exex/jsonrpc/toBlock.ts'
import type { Block } from '../../../sidecar/notification/types.ts'

const folder = join(
  process.env.MONMOUTH_SHARED ?? resolve(import.meta.dirname, '../../../../shared'),
  'data/ethereum',
)

/** False where the recorded blocks are not on this machine. */
export const haveLabels = existsSync(join(folder, 'mev-labels.jsonl.gz'))

type Receipts = { hash: string; receipts: unknown[]; derivedStatus?: Record<string, string> }

/** The recorded mainnet blocks, ascending; those with receipts have their real logs. */
export function readBlocks(): { readonly block: Block; readonly hasReceipts: boolean }[] {
  const byHash = new Map(lines<Receipts>('receipts.jsonl.gz').map((each) => [each.hash, each]))
  return lines<{ hash: string }>('blocks.jsonl.gz')
    .map((json) => {
      const of = byHash.get(json.hash)
      const block = blockFromJson(json, of?.receipts, { derivedStatus: of?.derivedStatus })
      return { block, hasReceipts: of !== undefined }
    })
    .sort((a, b) => (a.block.ref.number < b.block.ref.number ? -1 : 1))
}

/** Labels by transaction hash, of another tool's rules over traces; a transaction of a labelled block without any has none. */
export function readLabels(): ReadonlyMap<string, readonly string[]> {
  return new Map(
    lines<{ hash: string; labels: string[] }>('mev-labels.jsonl.gz').map(({ hash, labels }) => [
      hash,
      labels,
    ]),
  )
}

/** The numbers of the blocks that went through the labeller. */
export function readLabelledNumbers(): ReadonlySet<bigint> {
  const text = readFileSync(join(folder, 'mev-labelled-blocks.json'), 'utf8')
  return new Set(Object.keys(JSON.parse(text) as object).map(BigInt))
}

function lines<T>(file: string): T[] {
  const text = gunzipSync(readFileSync(join(folder, file))).toString()
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
}
