import pino from 'pino'
import { loadConfig } from '#config'
import { startReplayFeed } from '#harness'
import type { openVectorStore } from '#vector'
import { startBridge } from '../../../sidecar/bridge.ts'
import type { Status } from '../../../sidecar/status.ts'
import { temporaryFolder } from './temporaryFolder.ts'

/** What the `replay` command does, with a vector store of the test's choice. */
export async function replayInProcess(options: {
  readonly file: string
  readonly svmShare: number
  readonly settings: readonly string[]
  readonly openVector?: typeof openVectorStore
}): Promise<Status> {
  const flags = { files: [options.file], svmShare: String(options.svmShare), set: options.settings }
  const { config } = await loadConfig({ command: 'replay', env: {}, flags })
  await using folder = await temporaryFolder()
  await using feed = await startReplayFeed({ files: [options.file], ...config.replay })
  const bridge = await startBridge({
    config,
    url: `grpc://${feed.address}`,
    dataDir: folder.path,
    logger: pino({ level: 'silent' }),
    signal: new AbortController().signal,
    openVector: options.openVector,
  })
  try {
    await Promise.race([feed.finished.then((head) => bridge.untilDurable(head)), bridge.failed])
  } finally {
    await bridge.stop()
  }
  return bridge.stop()
}
