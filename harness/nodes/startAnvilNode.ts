import { existsSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { anvilBinary, defaultGenesisTimestamp, developmentMnemonic } from '../anvil.ts'
import { createRpc } from '../devnet/createRpc.ts'
import type { BlockPosition } from '../devnet/runTraffic.ts'
import { startProcess } from '../instance/startProcess.ts'
import { nowMs } from '../latency/watchLatency.ts'
import { quietPort } from '../quietPort.ts'
import { blockAt } from './blockAt.ts'
import type { ChainNode } from './types.ts'

const chainId = 31337
/** Seconds from one block's time to the next. */
const step = 2
/** Its state is kept after every so many blocks made: what came after is lost when it is killed. */
const keptEvery = 4

/**
 * anvil, from npm's package, with a chain that it finds again when it is started again. It loses its latest blocks when it is
 * killed: fewer than `keptEvery`. (Its own way to write its state down leaves half a file when it is killed at it.)
 */
export async function startAnvilNode(options: {
  readonly name: string
  readonly dataDir: string
  /** Blocks; even. */
  readonly finalityDepth: number
}): Promise<ChainNode> {
  const { name, dataDir, finalityDepth } = options
  await mkdir(dataDir, { recursive: true })
  const port = await quietPort()
  const rpcUrl = `http://127.0.0.1:${port}`
  const stateFile = join(dataDir, 'state.json')
  const instance = await startProcess({
    name,
    file: anvilBinary(),
    args: () => [
      ...anvilArguments({ chainId, finalityDepth }),
      ...['--host', '127.0.0.1', '--port', String(port)],
      ...(existsSync(stateFile) ? ['--load-state', stateFile] : []),
    ],
    isReady: (written) => written.includes('Listening on'),
  })
  return { ...instance, rpcUrl, chainId, finalityDepth, ...anvilHand(rpcUrl, stateFile) }
}

/** What makes anvil such a node; where it listens is not among it. */
export function anvilArguments(options: {
  readonly chainId: number
  readonly finalityDepth: number
}): string[] {
  return [
    ...['--chain-id', String(options.chainId), '--timestamp', String(defaultGenesisTimestamp)],
    ...['--slots-in-an-epoch', String(options.finalityDepth / 2)],
    ...['--mnemonic', developmentMnemonic, '--accounts', '10', '--balance', '1000000'],
    ...[
      '--gas-limit',
      '60000000',
      '--block-base-fee-per-gas',
      '1000000000',
      '--no-mining',
      '--order',
      'fees',
    ],
    '--preserve-historical-states',
  ]
}

/** Moves an anvil's chain by its own methods. */
export function anvilHand(
  rpcUrl: string,
  stateFile: string,
): Pick<ChainNode, 'head' | 'finalized' | 'mine' | 'fork' | 'recover'> {
  const rpc = createRpc(rpcUrl)
  let made = 0
  let highest: BlockPosition | undefined
  const keep = async () => {
    const state = await rpc.call<string>('anvil_dumpState', [true])
    await writeFile(`${stateFile}.new`, gunzipSync(Buffer.from(state.slice(2), 'hex')))
    await rename(`${stateFile}.new`, stateFile)
  }
  const mine = async () => {
    const { timestamp } = await rpc.call<{ timestamp: string }>('eth_getBlockByNumber', ['latest', false])
    // Siblings differ by their time, also where both are empty.
    made += 1
    await rpc.call('evm_setNextBlockTimestamp', [Number(timestamp) + step + (made % 2)])
    const asked = nowMs()
    await rpc.call('evm_mine')
    if (made % keptEvery === 0) await keep()
    return asked
  }
  return {
    head: async () => (await blockAt(rpc, 'latest'))!,
    finalized: async () => {
      // anvil's own goes back when its chain gets shorter; what was final once stays so for whoever heard of it.
      const now = await blockAt(rpc, 'finalized')
      if (now !== undefined && now.number >= (highest?.number ?? 0n)) highest = now
      return highest
    },
    mine,
    fork: async (depth) => {
      await rpc.call('anvil_rollback', [depth])
      await mine()
    },
    recover: async () => {},
  }
}
