import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HarnessError } from '../errors.ts'
import { type Sidecar, type SidecarStatus, startSidecar } from '../sidecar/startSidecar.ts'

/**
 * The property that everything else serves: a sidecar that has been through whatever came holds what a new one holds that
 * reads the node's canonical chain from its first block. The new one reads by JSON-RPC, so that the server of the stream has no
 * part in it.
 *
 * @param rpcUrl of the node, which must stand still meanwhile
 * @throws HarnessError `SIDECAR_DIVERGED` with what differs
 */
export async function compareWithFreshRun(
  sidecar: Sidecar,
  rpcUrl: string,
  settings: readonly string[] = [],
): Promise<SidecarStatus> {
  const held = await sidecar.status()
  if (held.durable === null)
    throw new HarnessError('SIDECAR_BEHIND', `expected ${sidecar.name} to hold a block`)
  const folder = await mkdtemp(join(tmpdir(), 'monmouth-fresh-'))
  try {
    await using fresh = await startSidecar({
      name: 'fresh',
      url: rpcUrl,
      dataDir: folder,
      logLevel: 'warn',
      settings: ['shim.poll_interval=50', ...settings],
    })
    const expected = await fresh.untilDurable(held.durable, 300_000)
    const differing = Object.entries(canonicalPart(expected)).flatMap(([key, value]) => {
      const [should, is] = [JSON.stringify(value), JSON.stringify(canonicalPart(held)[key as 'svm'])]
      return should === is ? [] : [`${key}: expected ${should}, it holds ${is}`]
    })
    if (differing.length > 0)
      throw new HarnessError(
        'SIDECAR_DIVERGED',
        `expected ${sidecar.name} to hold what a fresh run over ${rpcUrl} holds: ${differing.join('; ')}`,
      )
    return held
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What follows from the canonical chain alone. */
function canonicalPart({ blocks, transactions, routes, svm, decisionsHash, durable }: SidecarStatus) {
  return { blocks, transactions, routes, svm, decisionsHash, durable }
}
