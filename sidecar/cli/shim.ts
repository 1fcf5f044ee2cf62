import type { FlagValues } from '#config'
import { type CommandContext, prepare, writeJson } from './commandContext.ts'
import { exitCodes } from './exitCodes.ts'
import { aborted } from './runBridge.ts'
import { startShim } from './startShim.ts'

/** Serves the notification stream of a JSON-RPC node until stopped; says where on stdout. */
export async function shim(flags: FlagValues, context: CommandContext): Promise<number> {
  const { config, logger, json } = await prepare('shim', flags, context)
  const { signal, stdout } = context
  await using server = await startShim({
    config,
    rpc: config.shim.rpc!,
    listen: 'configured',
    logger,
    signal,
  })
  if (json) writeJson(stdout, { listening: server.url, rpc: config.shim.rpc })
  else
    stdout.write(
      `Serving ${config.shim.rpc} as exex.v1 at ${server.url}\nAttach with: monmouth attach ${server.url}\n`,
    )
  await aborted(signal)
  return exitCodes.ok
}
