import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContainerRuntimeClient } from 'testcontainers'
import { HarnessError } from '../errors.ts'
import { startContainer, unless } from '../instance/startContainer.ts'
import type { Instance } from '../instance/types.ts'

/** A program as a container. */
export type ContainerProgram = {
  /** Others in the network reach it by this. */
  readonly name: string
  readonly image: string
  /** Default: the image's. */
  readonly entrypoint?: readonly string[]
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Its ports, and the ports of 127.0.0.1 that lead to them. */
  readonly ports: Readonly<Record<number, number>>
  /** Folders of this machine: `source:target:ro`. */
  readonly mounts?: readonly string[]
  /** Default: the image's, or SIGTERM. */
  readonly stopSignal?: string
  readonly isReady: (written: string) => boolean | Promise<boolean>
}

/** A Docker engine, and a network in it that nobody else uses. Disposing of it removes all that was started, and the folder. */
export type ContainerEngine = AsyncDisposable & {
  /** On this machine, for what containers are to find there. */
  readonly folder: string
  /** This machine, as what is in the network reaches it. */
  readonly gateway: string
  /** @throws HarnessError `CONTAINERS_MISSING`: no such image, here or to be pulled */
  need(image: string): Promise<void>
  start(program: ContainerProgram): Promise<Instance>
}

const label = 'monmouth.harness'

/**
 * Finds the engine, removes what runs that are no more have left in it, and makes a network.
 *
 * @throws HarnessError `CONTAINERS_MISSING`: the package testcontainers is not installed, or no engine answers
 */
export async function openContainerEngine(): Promise<ContainerEngine> {
  const { getContainerRuntimeClient, ImageName } = await loadTestcontainers()
  const runtime = await getContainerRuntimeClient().catch((cause) => {
    const message = 'expected a Docker engine, none answers: start one, or name one by DOCKER_HOST'
    throw new HarnessError('CONTAINERS_MISSING', message, { cause })
  })
  await removeLabelled(runtime, `${label}=1`, isOrphan)
  const run = randomBytes(4).toString('hex')
  const labels = {
    [label]: '1',
    [`${label}.run`]: run,
    [`${label}.pid`]: String(process.pid),
    [`${label}.host`]: hostname(),
  }
  const network = `monmouth-${run}`
  const created = await runtime.network.create({ Name: network, Labels: labels })
  const { IPAM } = await created.inspect()
  const folder = folderOf(network)
  await mkdir(folder)
  return {
    folder,
    gateway: IPAM!.Config![0]!.Gateway!,
    need: async (image) => {
      const name = ImageName.fromString(image)
      // Ours are built, and are in nobody's registry.
      if (image.includes('/')) await runtime.image.pull(name).catch(() => {})
      if (await runtime.image.exists(name)) return
      throw new HarnessError(
        'CONTAINERS_MISSING',
        `expected the image ${image}, it is not here: .ci/images brings it, or docker build as docker/README.md says`,
      )
    },
    start: ({ name, image, command, ports, ...program }) => {
      const published = Object.entries(ports).map(([inside, outside]) => [`${inside}/tcp`, String(outside)])
      return startContainer({
        runtime,
        name,
        isReady: program.isReady,
        spec: {
          name: `${network}-${name}`,
          Image: image,
          Cmd: [...command],
          Labels: labels,
          Env: Object.entries(program.environment ?? {}).map(([key, value]) => `${key}=${value}`),
          ...(program.entrypoint && { Entrypoint: [...program.entrypoint] }),
          ...(program.stopSignal && { StopSignal: program.stopSignal }),
          // The images' own checks start a Node each time; here the harness asks.
          Healthcheck: { Test: ['NONE'] },
          ExposedPorts: Object.fromEntries(published.map(([port]) => [port, {}])),
          HostConfig: {
            NetworkMode: network,
            PortBindings: Object.fromEntries(
              published.map(([port, HostPort]) => [port, [{ HostIp: '127.0.0.1', HostPort }]]),
            ),
            Binds: [...(program.mounts ?? [])],
          },
          NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [name] } } },
        },
      })
    },
    [Symbol.asyncDispose]: () => removeLabelled(runtime, `${label}.run=${run}`, () => true),
  }
}

async function loadTestcontainers() {
  // Its reaper is one more image, and what is ours is swept by label.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true'
  try {
    return await import('testcontainers')
  } catch (cause) {
    const message =
      'expected the npm package testcontainers, it is not installed: npm install --save-dev testcontainers@12'
    throw new HarnessError('CONTAINERS_MISSING', message, { cause })
  }
}

type Labels = Readonly<Record<string, string>>

/** With their volumes and folders; another one may be at it at the same time. */
async function removeLabelled(
  { container: { dockerode } }: ContainerRuntimeClient,
  filter: string,
  isChosen: (labels: Labels) => boolean,
): Promise<void> {
  const filters = { label: [filter] }
  const containers = await dockerode.listContainers({ all: true, filters })
  await Promise.all(
    containers.map(async ({ Id, State, Labels }) => {
      if (!isChosen(Labels)) return
      const container = dockerode.getContainer(Id)
      if (State === 'paused') await container.unpause().catch(unless(404, 409, 500))
      await container.remove({ force: true, v: true }).catch(unless(404, 409))
    }),
  )
  for (const { Id, Name, Labels } of await dockerode.listNetworks({ filters })) {
    if (!isChosen(Labels ?? {})) continue
    await rm(folderOf(Name), { recursive: true, force: true })
    await dockerode.getNetwork(Id).remove().catch(unless(403, 404))
  }
}

/** Whoever finds the network finds the folder. */
const folderOf = (network: string) => join(tmpdir(), network)

/** Whether it was started on this machine by a process that is no more. */
function isOrphan(labels: Labels): boolean {
  if (labels[`${label}.host`] !== hostname()) return false
  try {
    process.kill(Number(labels[`${label}.pid`]), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
