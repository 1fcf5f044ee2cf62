import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { HarnessError } from '../errors.ts'
import { startProcess } from '../instance/startProcess.ts'
import { quietPort } from '../quietPort.ts'
import { drivenNode } from './drivenNode.ts'
import { gethChainId, gethFlags, gethGenesis } from './gethChain.ts'
import { isRpcAnswering } from './isRpcAnswering.ts'
import type { ChainNode } from './types.ts'

/**
 * geth, its consensus client played by a driver.
 *
 * @throws HarnessError `NODE_MISSING`: neither `binary` nor the environment's MONMOUTH_GETH names one
 */
export async function startGethNode(options: {
  readonly name: string
  readonly dataDir: string
  readonly finalityDepth: number
  readonly binary?: string
}): Promise<ChainNode> {
  const { name, dataDir, finalityDepth, binary = process.env.MONMOUTH_GETH } = options
  if (binary === undefined)
    throw new HarnessError('NODE_MISSING', 'expected the program geth in MONMOUTH_GETH, it is not set')
  await mkdir(dataDir, { recursive: true })
  const [genesisFile, secretFile, secret] = [
    join(dataDir, 'genesis.json'),
    join(dataDir, 'secret.hex'),
    randomBytes(32).toString('hex'),
  ]
  await writeFile(genesisFile, gethGenesis())
  await writeFile(secretFile, secret)
  await promisify(execFile)(binary, ['init', '--datadir', dataDir, '--state.scheme', 'hash', genesisFile])
  const [rpc, engine] = [await quietPort(), await quietPort()]
  const [rpcUrl, engineUrl] = [`http://127.0.0.1:${rpc}`, `http://127.0.0.1:${engine}`]
  const instance = await startProcess({
    name,
    file: binary,
    args: () => [
      ...[
        '--datadir',
        dataDir,
        '--http.addr',
        '127.0.0.1',
        '--http.port',
        String(rpc),
        '--port',
        '0',
        ...gethFlags,
      ],
      ...['--authrpc.addr', '127.0.0.1', '--authrpc.port', String(engine), '--authrpc.jwtsecret', secretFile],
    ],
    isReady: () => isRpcAnswering(rpcUrl),
  })
  return drivenNode(instance, { rpcUrl, engineUrl, secret, finalityDepth, chainId: gethChainId })
}
