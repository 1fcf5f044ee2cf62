import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { stateTables } from '../../../sidecar/notification/stateWrite.ts'
import { hashToBytes } from '../../../sidecar/watermark/hashBytes.ts'
import { openStore, type StoreOptions } from '../../../sidecar/watermark/openStore.ts'
import type { Store } from '../../../sidecar/watermark/store.ts'
import type { ChainModel } from './chainModel.ts'
import { keyOf } from './chainModel.ts'
import { identity, silent } from './processFixture.ts'

export { identity, silent }

/** A directory that goes with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'monmouth-watermark-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Opens a store that is closed with the test. */
export function openTestStore(directory: string, options: Partial<StoreOptions> = {}): Store {
  const store = openStore(
    { directory, identity, undoDepth: 16, retainDecisions: 0, ...options },
    { logger: silent },
  )
  onTestFinished(() => store.close())
  return store
}

/** Everything a store says of the canonical chain, in a form two of which can be compared. */
export function readAll(store: Store) {
  const state: [string, string][] = []
  for (const table of stateTables) {
    for (const { key, value } of store.rows(table))
      state.push([keyOf(table, key), Buffer.from(value).toString('hex')])
  }
  return {
    state: state.sort(([a], [b]) => (a < b ? -1 : 1)),
    durable: store.progress().durable,
    totals: store.progress().totals,
    lattice: Buffer.from(store.progress().latticeHash).toString('hex'),
    decisionsHash: Buffer.from(store.progress().decisionsHash).toString('hex'),
    blocks: store.recentBlocks(1_000_000),
    decisions: store
      .latestDecisions(1_000_000)
      .map(({ decisions }) => Buffer.from(decisions).toString('hex')),
    signatures: [...store.signatures()]
      .filter(({ block }) => block > (store.progress().durable?.number ?? 0n) - 150n)
      .map(({ signature, block }) => `${block} ${Buffer.from(signature).toString('hex')}`),
  }
}

/** The same of a model; signatures are those of the last 150 blocks, as older ones may be gone. */
export function modelAll(model: ChainModel): ReturnType<typeof readAll> {
  let decisionsHash = Buffer.alloc(32)
  for (const { block, decisions } of model.blocks) {
    const inner = createHash('sha256').update(decisions).digest()
    decisionsHash = createHash('sha256')
      .update(decisionsHash)
      .update(hashToBytes(block.hash))
      .update(inner)
      .digest()
  }
  return {
    state: [...model.state()]
      .map(([key, value]): [string, string] => [key, value.toString('hex')])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    durable: model.tip(),
    totals: model.totals(),
    lattice: Buffer.from(model.blocks.at(-1)?.latticeHash ?? new Uint8Array(32)).toString('hex'),
    decisionsHash: decisionsHash.toString('hex'),
    blocks: model.blocks.map(({ block }) => block),
    decisions: model.blocks.map(({ decisions }) => Buffer.from(decisions).toString('hex')).reverse(),
    signatures: model.blocks
      .slice(-150)
      .flatMap(({ block, signatures }) =>
        signatures.map((signature) => `${block.number} ${Buffer.from(signature).toString('hex')}`),
      ),
  }
}
