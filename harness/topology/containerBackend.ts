import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HarnessError } from '../errors.ts'
import { startForwarder } from '../link/startForwarder.ts'
import { startToxiproxyLink } from '../link/startToxiproxyLink.ts'
import { drivenNode } from '../nodes/drivenNode.ts'
import { gethChainId, gethFlags, gethGenesis } from '../nodes/gethChain.ts'
import { isRpcAnswering } from '../nodes/isRpcAnswering.ts'
import { anvilArguments, anvilHand } from '../nodes/startAnvilNode.ts'
import { quietPort } from '../quietPort.ts'
import { sidecarHand } from '../sidecar/sidecarHand.ts'
import type { Backend, StartedNode } from './backend.ts'
import { type ContainerProgram, openContainerEngine } from './openContainerEngine.ts'

/** The images by what they are for. */
export const containerImages = {
  anvil: 'ghcr.io/foundry-rs/foundry:v1.7.1',
  reth: 'monmouth-reth',
  geth: 'ethereum/client-go:v1.16.9',
  sidecar: 'monmouth-sidecar',
  toxiproxy: 'ghcr.io/shopify/toxiproxy:2.12.0',
} as const

export type ContainerBackendOptions = {
  /** Others than `containerImages`. One with a slash in its name is pulled where it is missing. */
  readonly images?: Partial<Readonly<Record<keyof typeof containerImages, string>>>
}

/** Where links listen in toxiproxy's container: from here on. */
const firstLinkPort = 20_001

/**
 * Everything as containers of the Docker engine on this machine, in a network of their own: any number of backends run side by side. Addresses are
 * of this machine, 127.0.0.1 and a port that stays over restarts; containers are told the names that they know each other by
 * instead, and what the harness itself listens at is forwarded to them. Disposing of it leaves nothing; what a backend left whose process
 * was killed goes when the next one is made.
 *
 * @throws HarnessError `CONTAINERS_MISSING`: no engine, no image of the sidecar or of toxiproxy, or testcontainers is not installed
 */
export async function createContainerBackend(options: ContainerBackendOptions = {}): Promise<Backend> {
  const images = { ...containerImages, ...options.images }
  const own = new AsyncDisposableStack()
  try {
    const engine = own.use(await openContainerEngine())
    await Promise.all([engine.need(images.sidecar), engine.need(images.toxiproxy)])
    const apiPort = await quietPort()
    const api = `http://127.0.0.1:${apiPort}`
    const started: AsyncDisposable[] = []
    own.defer(async () => void (await Promise.all(started.map((part) => part[Symbol.asyncDispose]()))))
    const start = async (program: ContainerProgram) => {
      const instance = await engine.start(program)
      started.push(instance)
      return instance
    }
    await start({
      name: 'toxiproxy',
      image: images.toxiproxy,
      command: ['-host=0.0.0.0'],
      ports: { 8474: apiPort },
      isReady: () => isAnswering(`${api}/version`),
    })
    /** What listens at an address of this machine, as containers reach it. */
    const inner = new Map<string, string>()
    const inside = (text: string) =>
      text.replace(/127\.0\.0\.1:\d+/g, (address) => inner.get(address) ?? address)
    const publish = async (name: string, port: number) => {
      const outer = await quietPort()
      const address = `127.0.0.1:${outer}`
      inner.set(address, `${name}:${port}`)
      return { address, ports: { [port]: outer } }
    }
    const targetOf = async (address: string) => {
      const known = inner.get(address)
      if (known !== undefined || !address.startsWith('127.0.0.1:')) return known ?? address
      const forwarder = own.use(await startForwarder(engine.gateway, address))
      inner.set(address, forwarder.address)
      return forwarder.address
    }
    /** A folder that a container sees too, and only reads. */
    const shared = async (name: string) => {
      const path = join(engine.folder, name)
      await mkdir(path)
      return path
    }
    const startAnvil = async (name: string, finalityDepth: number): Promise<StartedNode> => {
      await engine.need(images.anvil)
      const { address, ports } = await publish(name, 8545)
      const state = await shared(name)
      const rpcUrl = `http://${address}`
      const chainId = 31337
      const instance = await start({
        name,
        image: images.anvil,
        // The command stays the same over restarts, and there is no state yet at the first.
        entrypoint: ['sh', '-c', '[ ! -e "$0" ] || set -- "$@" --load-state "$0"; exec anvil "$@"'],
        command: [
          '/state/state.json',
          ...anvilArguments({ chainId, finalityDepth }),
          ...['--host', '0.0.0.0', '--port', '8545'],
        ],
        ports,
        mounts: [`${state}:/state:ro`],
        // As process 1 it would not hear SIGTERM.
        stopSignal: 'SIGINT',
        isReady: () => isRpcAnswering(rpcUrl),
      })
      const hand = anvilHand(rpcUrl, join(state, 'state.json'))
      return { ...instance, rpcUrl, chainId, finalityDepth, reach: address, ...hand }
    }
    const startReth = async (name: string, finalityDepth: number): Promise<StartedNode> => {
      await engine.need(images.reth)
      const secret = randomBytes(32).toString('hex')
      const secrets = await shared(name)
      await writeFile(join(secrets, 'secret.hex'), secret)
      const [rpc, authenticated, stream] = [
        await publish(name, 8545),
        await publish(name, 8551),
        await publish(name, 50051),
      ]
      const rpcUrl = `http://${rpc.address}`
      const instance = await start({
        name,
        image: images.reth,
        // As `startReth` has it, but for where it listens.
        command: [
          ...['node', '--chain', 'dev', '--datadir', '/data', '--color', 'never'],
          ...['--log.file.max-files', '0', '--ipcdisable'],
          ...['--http', '--http.addr', '0.0.0.0', '--http.port', '8545', '--http.api', 'all'],
          ...['--authrpc.addr', '0.0.0.0', '--authrpc.port', '8551'],
          ...['--authrpc.jwtsecret', '/secret/secret.hex'],
          ...['--disable-discovery', '--no-persist-peers', '--max-outbound-peers', '0'],
          ...['--txpool.max-account-slots', '100000', '--txpool.pending-max-count', '200000'],
        ],
        environment: { EXEX_LISTEN: '0.0.0.0:50051', EXEX_INSECURE: 'true', RUST_BACKTRACE: '1' },
        ports: { ...rpc.ports, ...authenticated.ports, ...stream.ports },
        mounts: [`${secrets}:/secret:ro`],
        isReady: () => isRpcAnswering(rpcUrl),
      })
      const engineUrl = `http://${authenticated.address}`
      const node = await drivenNode(instance, { rpcUrl, engineUrl, secret, finalityDepth, chainId: 1337 })
      return {
        ...node,
        ...{ streamAddress: stream.address, reach: rpc.address, reachStream: stream.address },
      }
    }
    const startGeth = async (name: string, finalityDepth: number): Promise<StartedNode> => {
      await engine.need(images.geth)
      const secret = randomBytes(32).toString('hex')
      const files = await shared(name)
      await writeFile(join(files, 'secret.hex'), secret)
      await writeFile(join(files, 'genesis.json'), gethGenesis())
      const [rpc, authenticated] = [await publish(name, 8545), await publish(name, 8551)]
      const rpcUrl = `http://${rpc.address}`
      const instance = await start({
        name,
        image: images.geth,
        entrypoint: [
          'sh',
          '-c',
          '[ -e /data/geth/chaindata ] || geth init --datadir /data --state.scheme hash "$0"; exec geth "$@"',
        ],
        command: [
          '/files/genesis.json',
          ...['--datadir', '/data', '--http.addr', '0.0.0.0', '--http.port', '8545', ...gethFlags],
          ...[
            '--authrpc.addr',
            '0.0.0.0',
            '--authrpc.port',
            '8551',
            '--authrpc.jwtsecret',
            '/files/secret.hex',
          ],
        ],
        ports: { ...rpc.ports, ...authenticated.ports },
        mounts: [`${files}:/files:ro`],
        isReady: () => isRpcAnswering(rpcUrl),
      })
      const engineUrl = `http://${authenticated.address}`
      const node = await drivenNode(instance, {
        rpcUrl,
        engineUrl,
        secret,
        finalityDepth,
        chainId: gethChainId,
      })
      return { ...node, reach: rpc.address }
    }
    let links = 0
    return {
      kind: 'container',
      startNode: async (name, kind, { finalityDepth }) => {
        if (kind === 'anvil') return startAnvil(name, finalityDepth)
        if (kind === 'reth') return startReth(name, finalityDepth)
        return startGeth(name, finalityDepth)
      },
      startShim: async (name, node, { finalityDepth }) => {
        const { address, ports } = await publish(name, 9100)
        const instance = await start({
          name,
          image: images.sidecar,
          command: [
            ...['shim', '--rpc', `http://${inside(node.reach)}`, '--listen', '0.0.0.0:9100'],
            ...['--log-level', 'info', '--set', 'shim.poll_interval=50'],
            ...['--set', `finality.depth=${finalityDepth}`],
          ],
          ports,
          isReady: (written) => written.includes('exex.v1 at'),
        })
        return { ...instance, reach: address, address }
      },
      startLink: async (name, target) => {
        const port = firstLinkPort + links++
        return startToxiproxyLink({
          api,
          host: 'toxiproxy',
          port,
          name,
          target: await targetOf(target),
        }).then((link) => ({ ...link, lead: async (next) => link.lead(await targetOf(next)) }))
      },
      startSidecar: async ({ name, url, settings, imports = [] }) => {
        if (imports.length > 0)
          throw new HarnessError(
            'BACKEND_OPTIONS',
            `expected no modules to load into ${name}, got ${imports.join(', ')}: only processes can load them`,
          )
        const { address, ports } = await publish(name, 8080)
        const httpUrl = `http://${address}`
        const instance = await start({
          name,
          image: images.sidecar,
          command: [
            ...['attach', inside(url), '--log-level', 'info'],
            ...settings.flatMap((setting) => ['--set', inside(setting)]),
          ],
          ports,
          isReady: () => isAnswering(`${httpUrl}/status`),
        })
        return { ...instance, httpUrl, dataDir: '/data', ...sidecarHand(instance, httpUrl) }
      },
      [Symbol.asyncDispose]: () => own.disposeAsync(),
    }
  } catch (error) {
    await own.disposeAsync()
    throw error
  }
}

async function isAnswering(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok
  } catch {
    return false
  }
}
