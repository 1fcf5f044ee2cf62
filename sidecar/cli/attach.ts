import type { FlagValues } from '#config'
import type { Bridge } from '../bridge.ts'
import { type CommandContext, prepare, writeJson } from './commandContext.ts'
import { exitCodeOf } from './describeFailure.ts'
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
  await Promise.race([ended, untilStopped(bridge, signal)])
  view[Symbol.dispose]()
  const summary = await bridge.stop()
  if (json) writeJson(stdout, summary)
  else stdout.write(formatSummary(summary))
  return exitCodes.ok
}

/**
 * Until the signal. A failure ends it at once, but for a chain that went where we cannot follow: starting again would
 * find it so again, and a process that is there can say so. Then the failure comes with the signal.
 */
async function untilStopped(bridge: Bridge, signal: AbortSignal): Promise<void> {
  try {
    await Promise.race([bridge.failed, aborted(signal)])
  } catch (error) {
    if (exitCodeOf(error) === exitCodes.chain) await aborted(signal)
    throw error
  }
}
