import type { BlockRef } from '../../notification/types.ts'
import { ChainMovedError } from './errors.ts'
import type { Header, NodeReader } from './nodeReader.ts'

/** What the node says of its chain at one moment. The four calls go out together; a reorg may come in between. */
export type NodeView = {
  readonly latest: Header
  readonly safe: BlockRef | undefined
  /** The node's, or the block `finalityDepth` below `latest` where it has none. */
  readonly finalized: BlockRef | undefined
  readonly syncing: boolean
}

/** Throws `ChainMovedError` while the node has no head. */
export async function readView(reader: NodeReader, finalityDepth: number): Promise<NodeView> {
  const [latest, safe, finalized, syncing] = await Promise.all([
    reader.header('latest'),
    reader.header('safe'),
    reader.header('finalized'),
    reader.syncing(),
  ])
  if (latest === undefined)
    throw new ChainMovedError({ where: 'latest', expected: 'a block', actual: 'none' })
  if (finalized !== undefined) return { latest, safe, finalized, syncing }
  const depth = BigInt(finalityDepth)
  const standIn = await reader.header(latest.number > depth ? latest.number - depth : 0n)
  return { latest, safe, finalized: standIn, syncing }
}
