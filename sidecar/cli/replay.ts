import type { FlagValues } from '#config'
import { type CommandContext, prepare, writeJson } from './commandContext.ts'
import { exitCodes } from './exitCodes.ts'
import { formatSummary } from './formatSummary.ts'
import { liveView } from './liveView.ts'
import { loadHarness } from './loadHarness.ts'
import { aborted, ownDataDir, runBridge } from './runBridge.ts'

/** Plays recorded blocks through a real stream, from a process of its own, until they are all durable. */
export async function replay(flags: FlagValues, context: CommandContext): Promise<number> {
  const resolved = await prepare('replay', flags, context)
  const { config, logger, json } = resolved
  const { signal, stdout } = context
  const { startReplayFeed } = await loadHarness()
  await using dataDir = await ownDataDir(resolved)
  await using feed = await startReplayFeed({
    files: flags.files as readonly string[],
    ...config.replay,
  })
  const url = `grpc://${feed.address}`
  await using running = await runBridge({ config, url, dataDir: dataDir.path, logger, signal })
  const { bridge, http } = running
  using view = liveView({ bridge, httpUrl: http.url, nodeUrl: url, isJson: json, ...context })
  const played = feed.finished.then((head) => bridge.untilDurable(head))
  await Promise.race([played, bridge.failed, aborted(signal)])
  view[Symbol.dispose]()
  const summary = await bridge.stop()
  if (json) writeJson(stdout, summary)
  else stdout.write(formatSummary(summary))
  return exitCodes.ok
}
