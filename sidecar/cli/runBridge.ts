import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ResolvedConfig } from '#config'
import { type HttpServer, startHttpServer } from '../api/httpServer.ts'
import { type Bridge, type BridgeOptions, startBridge } from '../bridge.ts'
import { readDoorSettings } from './doorSettings.ts'

/** The data directory of a command whose chain ends with it: a new one each time, removed at the end, unless one was named. */
export async function ownDataDir({
  config,
  origins,
}: ResolvedConfig): Promise<AsyncDisposable & { path: string }> {
  const origin = origins['general.data_dir']
  if (origin && origin.kind !== 'default' && origin.kind !== 'profile') {
    return { path: config.general.dataDir, [Symbol.asyncDispose]: async () => {} }
  }
  const path = await mkdtemp(join(tmpdir(), 'monmouth-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** The bridge with its HTTP surface, closed in reverse. */
export async function runBridge(
  options: BridgeOptions,
): Promise<AsyncDisposable & { bridge: Bridge; http: HttpServer }> {
  const settings = await readDoorSettings(options.config)
  const bridge = await startBridge(options)
  let http: HttpServer
  try {
    http = await startHttpServer(
      bridge.view,
      options.config.http.listen,
      { logger: options.logger },
      settings,
    )
  } catch (error) {
    await bridge.stop()
    throw error
  }
  return {
    bridge,
    http,
    async [Symbol.asyncDispose]() {
      // The bridge first: its last durable block is still told to whoever listens for events.
      await bridge.stop()
      await http.close()
    },
  }
}

/** Resolves when aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
