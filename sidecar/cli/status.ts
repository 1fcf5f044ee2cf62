import type { FlagValues } from '#config'
import type { Status } from '../status.ts'
import { askSidecar } from './askSidecar.ts'
import { type CommandContext, prepare, writeJson } from './commandContext.ts'
import { exitCodes } from './exitCodes.ts'
import { formatSummary } from './formatSummary.ts'

/** The status of a running sidecar. */
export async function status(flags: FlagValues, context: CommandContext): Promise<number> {
  const { config, json } = await prepare('status', flags, context)
  const { body } = await askSidecar(config, '/status', context.signal)
  if (json) writeJson(context.stdout, body)
  else context.stdout.write(formatSummary(body as Status))
  return exitCodes.ok
}
