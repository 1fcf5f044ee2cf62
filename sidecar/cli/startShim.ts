import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { type Config, writeHostPort } from '#config'
import { encodeBlock } from '../exex/blockCodec.ts'
import { createJsonRpcSource } from '../exex/jsonrpc/createJsonRpcSource.ts'
import { startExExServer } from '../exex/server/startExExServer.ts'

export type Shim = AsyncDisposable & {
  /** What a sidecar attaches to: `grpc://host:port` or `unix:/path`. */
  readonly url: string
}

/** Longest wait for a node that is not up yet. */
const START_TIMEOUT_MS = 15_000
const REQUEST_TIMEOUT_MS = 10_000

/**
 * The JSON-RPC shim: any node as an `exex.v1` server.
 * @param listen `configured`: where `[shim]` says, with its TLS and tokens; `private`: a unix socket of its own
 */
export async function startShim(options: {
  readonly config: Config
  readonly rpc: string
  readonly listen: 'configured' | 'private'
  readonly logger: Logger
  readonly signal: AbortSignal
}): Promise<Shim> {
  const { config, rpc, signal } = options
  const { shim, finality } = config
  const logger = options.logger.child({ part: 'shim' })
  const controller = new AbortController()
  const folder = options.listen === 'private' ? await mkdtemp(join(tmpdir(), 'monmouth-shim-')) : undefined
  const closing = async () => {
    controller.abort()
    if (folder) await rm(folder, { recursive: true, force: true })
  }
  try {
    const source = await createJsonRpcSource(
      {
        url: rpc,
        pollIntervalMs: shim.pollInterval,
        maxReorgDepth: shim.maxReorgDepth,
        batchBlocks: shim.batchBlocks,
        finalityDepth: finality.depth,
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
        startTimeoutMs: START_TIMEOUT_MS,
      },
      { logger, encodeBlock, signal: AbortSignal.any([signal, controller.signal]) },
    )
    const server = await startExExServer(
      {
        source,
        listen: folder ? `unix:${join(folder, 'exex.sock')}` : writeHostPort(shim.listen),
        ...(folder ? {} : security(config)),
        reflection: shim.reflection,
        ringBlocks: shim.ringBlocks,
        ringBytes: shim.ringBytes,
        batchBlocks: shim.batchBlocks,
        batchBytes: shim.frameBytes,
        heartbeatMs: shim.heartbeatInterval,
        evictAfterBlocks: BigInt(shim.evictAfterBlocks),
        finalityDepth: BigInt(finality.depth),
      },
      { logger },
    )
    return {
      url: folder ? server.address : `${shim.tlsCertFile ? 'grpcs' : 'grpc'}://${server.address}`,
      async [Symbol.asyncDispose]() {
        await server.close()
        await source.close()
        await closing()
      },
    }
  } catch (error) {
    await closing()
    throw error
  }
}

function security({ shim }: Config) {
  return {
    ...(shim.tlsCertFile && shim.tlsKeyFile
      ? {
          tls: {
            certFile: shim.tlsCertFile,
            keyFile: shim.tlsKeyFile,
            ...(shim.tlsClientCaFile ? { clientCaFile: shim.tlsClientCaFile } : {}),
          },
        }
      : {}),
    ...(shim.tokenFile ? { tokenFile: shim.tokenFile } : {}),
  }
}
