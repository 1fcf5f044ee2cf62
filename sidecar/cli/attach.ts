import type { FlagValues } from '#config'
import { type CommandContext, prepare, writeJson } from './commandContext.ts'
import { exitCodes } from './exitCodes.ts'
import { formatSummary } from './formatSummary.ts'
import { liveView } from './liveView.ts'
import { aborted, runBridge } from './runBridge.ts'
import { startShim } from './startShim.ts'

/** Follows a node until stopped, or for `--blocks N`. A JSON-RPC URL gets a shim of its own, over a unix socket. */
export async function attach(flags: FlagValues, context: CommandContext): Promise<number> {
  const { config, logger, json } = await prepare('attach', flags, context)
  const { signal, stdout } = context
  const url = config.node.url!
  await using shim = /^(http|ws)s?:/.test(url)
    ? await startShim({ config, rpc: url, listen: 'private', logger, signal })
    : undefined
  await using running = await runBridge({
    config,
    url: shim?.url ?? url,
    dataDir: config.general.dataDir,
    logger,
    signal,
  })
  const { bridge, http } = running
  using view = liveView({ bridge, httpUrl: http.url, nodeUrl: url, isJson: json, ...context })
  const ended =
    config.attach.blocks > 0 ? bridge.untilBlocks(config.attach.blocks) : new Promise<never>(() => {})
  await Promise.race([ended, bridge.failed, aborted(signal)])
  view[Symbol.dispose]()
  const summary = await bridge.stop()
  if (json) writeJson(stdout, summary)
  else stdout.write(formatSummary(summary))
  return exitCodes.ok
}
