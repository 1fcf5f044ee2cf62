import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess } from '../instance/startProcess.ts'
import { startTcpLink } from '../link/startTcpLink.ts'
import { startAnvilNode } from '../nodes/startAnvilNode.ts'
import { startGethNode } from '../nodes/startGethNode.ts'
import { startRethNode } from '../nodes/startRethNode.ts'
import type { ChainNode, NodeKind } from '../nodes/types.ts'
import { quietPort } from '../quietPort.ts'
import { cleanEnvironment, nodeBinary, startSidecar } from '../sidecar/startSidecar.ts'
import type { Backend, StartedNode } from './backend.ts'

const main = fileURLToPath(new URL('../../sidecar/main.ts', import.meta.url))

/** Everything as processes of this machine, in a folder of their own that is removed at the end. */
export async function createProcessBackend(): Promise<Backend> {
  const folder = await mkdtemp(join(tmpdir(), 'monmouth-topology-'))
  const started: AsyncDisposable[] = []
  const keep = <T extends AsyncDisposable>(part: T): T => {
    started.push(part)
    return part
  }
  const startNode = async (name: string, kind: NodeKind, finalityDepth: number): Promise<ChainNode> => {
    const dataDir = join(folder, name)
    if (kind === 'anvil') return startAnvilNode({ name, dataDir, finalityDepth })
    if (kind === 'reth') return startRethNode({ dataDir, finalityDepth })
    return startGethNode({ name, dataDir, finalityDepth })
  }
  return {
    kind: 'process',
    startNode: async (name, kind, { finalityDepth }): Promise<StartedNode> => {
      const node = keep(await startNode(name, kind, finalityDepth))
      const reach = new URL(node.rpcUrl).host
      return { ...node, reach, ...(node.streamAddress && { reachStream: node.streamAddress }) }
    },
    startShim: async (name, node, { finalityDepth }) => {
      const reach = `127.0.0.1:${await quietPort()}`
      const instance = await startProcess({
        name,
        file: nodeBinary(),
        args: () => [
          ...['--disable-warning=ExperimentalWarning', main, 'shim', '--rpc', `http://${node.reach}`],
          ...[
            '--listen',
            reach,
            '--http',
            '127.0.0.1:0',
            '--log-level',
            'info',
            '--data-dir',
            join(folder, name),
          ],
          ...['--set', 'shim.poll_interval=50', '--set', `finality.depth=${finalityDepth}`],
        ],
        env: cleanEnvironment(),
        isReady: (written) => written.includes('exex.v1 at') || written.includes('listening'),
      })
      return { ...keep(instance), reach, address: reach }
    },
    startLink: async (name, target) => keep(await startTcpLink(name, target)),
    startSidecar: async ({ name, ...rest }) =>
      keep(await startSidecar({ name, dataDir: join(folder, name), ...rest })),
    [Symbol.asyncDispose]: async () => {
      // Consumers first: a node that is stopped under them would fill their logs.
      for (const part of started.reverse()) await part[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
