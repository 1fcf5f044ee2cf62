import type { FlagValues } from '#config'
import { type CommandContext, prepare, writeJson } from './commandContext.ts'
import { exitCodes } from './exitCodes.ts'
import { formatSummary } from './formatSummary.ts'
import { liveView } from './liveView.ts'
import { loadHarness } from './loadHarness.ts'
import { aborted, ownDataDir, runBridge } from './runBridge.ts'
import { startShim } from './startShim.ts'

/** An embedded chain with traffic: anvil, shim and sidecar, for `--blocks N` or until stopped. */
export async function devnet(flags: FlagValues, context: CommandContext): Promise<number> {
  const resolved = await prepare('devnet', flags, context)
  const { config, logger, json } = resolved
  const { signal, stdout } = context
  const { blocks, blockTime, txPerBlock, svmShare, reorgEvery, reorgDepth, seed } = config.devnet
  const { startDevnet } = await loadHarness()
  await using dataDir = await ownDataDir(resolved)
  await using chain = await startDevnet({
    ...{ blockTimeMs: blockTime, txPerBlock, svmShare, reorgEvery, reorgDepth, seed },
    ...(blocks > 0 ? { blocks } : {}),
    signal,
  })
  await using shim = await startShim({ config, rpc: chain.wsUrl, listen: 'configured', logger, signal })
  await using running = await runBridge({
    ...{ config, url: shim.url, dataDir: dataDir.path, logger, signal },
  })
  const { bridge, http } = running
  using view = liveView({ bridge, httpUrl: http.url, nodeUrl: chain.rpcUrl, isJson: json, ...context })
  // A branch that nobody read is no reorg to whoever follows: each waits for us, so that a run undoes the same blocks at any speed.
  const done = chain
    .traffic({ beforeReorg: (head) => bridge.untilDurable(head) })
    .then(({ head }) => bridge.untilDurable(head))
  await Promise.race([done, bridge.failed, aborted(signal)])
  view[Symbol.dispose]()
  const summary = await bridge.stop()
  if (json) writeJson(stdout, summary)
  else stdout.write(formatSummary(summary))
  return exitCodes.ok
}
