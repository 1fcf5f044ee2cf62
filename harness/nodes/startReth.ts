import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startProcess } from '../instance/startProcess.ts'
import type { Instance } from '../instance/types.ts'
import { quietPort } from '../quietPort.ts'
import { isRpcAnswering } from './isRpcAnswering.ts'

export type RethOptions = {
  /** The program: `monmouth-reth`, or a plain reth, which then serves no stream. */
  readonly binary: string
  /** Its data directory; made when missing. */
  readonly dataDir: string
  /** Makes blocks by itself, this many milliseconds apart. Without it a consensus driver has them made. */
  readonly blockTimeMs?: number
  /** More of its flags. */
  readonly flags?: readonly string[]
  /** Default 60 000. */
  readonly timeoutMs?: number
}

export type Reth = Instance & {
  readonly rpcUrl: string
  /** The Engine API, for who knows `secret`. */
  readonly engineUrl: string
  /** 32 bytes, hex. */
  readonly secret: string
  /** `host:port` of `exex.v1` and `exex.RemoteExEx`. */
  readonly exexAddress: string
  readonly metricsUrl: string
  readonly chainId: number
}

/**
 * Starts reth on its development chain (chain 1337; twenty accounts of the development phrase with 10 000 ether each), with
 * no peers, at addresses that it keeps over restarts.
 *
 * @throws HarnessError `INSTANCE_DIED`, `INSTANCE_NOT_READY`
 */
export async function startReth(options: RethOptions): Promise<Reth> {
  const { dataDir } = options
  await mkdir(dataDir, { recursive: true })
  const secret = randomBytes(32).toString('hex')
  const secretFile = join(dataDir, 'secret.hex')
  await writeFile(secretFile, secret)
  const [rpc, engine, exex, metrics, network] = [
    await quietPort(),
    await quietPort(),
    await quietPort(),
    await quietPort(),
    await quietPort(),
  ]
  const host = '127.0.0.1'
  const rpcUrl = `http://${host}:${rpc}`
  const instance = await startProcess({
    name: 'reth',
    file: options.binary,
    args: () => [
      ...['node', '--chain', 'dev', '--datadir', dataDir, '--color', 'never', '--log.file.max-files', '0'],
      ...['--http', '--http.addr', host, '--http.port', String(rpc), '--http.api', 'all', '--ipcdisable'],
      ...['--authrpc.addr', host, '--authrpc.port', String(engine), '--authrpc.jwtsecret', secretFile],
      ...[
        '--port',
        String(network),
        '--disable-discovery',
        '--no-persist-peers',
        '--max-outbound-peers',
        '0',
      ],
      // One account sends more than strangers may.
      ...['--txpool.max-account-slots', '100000', '--txpool.pending-max-count', '200000'],
      ...['--metrics', `${host}:${metrics}`],
      ...(options.blockTimeMs === undefined ? [] : ['--dev', '--dev.block-time', `${options.blockTimeMs}ms`]),
      ...(options.flags ?? []),
    ],
    env: { ...process.env, EXEX_LISTEN: `${host}:${exex}`, RUST_BACKTRACE: '1' },
    isReady: () => isRpcAnswering(rpcUrl),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  })
  return {
    ...instance,
    rpcUrl,
    engineUrl: `http://${host}:${engine}`,
    secret,
    exexAddress: `${host}:${exex}`,
    metricsUrl: `http://${host}:${metrics}/metrics`,
    chainId: 1337,
  }
}
