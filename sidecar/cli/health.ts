import type { FlagValues } from '#config'
import type { Problem } from '../api/view.ts'
import { askSidecar } from './askSidecar.ts'
import { type CommandContext, prepare, writeJson } from './commandContext.ts'
import { exitCodes } from './exitCodes.ts'

/** The health and readiness of a running sidecar; exit code 1 when it has a problem. */
export async function health(flags: FlagValues, context: CommandContext): Promise<number> {
  const { config, json } = await prepare('health', flags, context)
  const answer = await askSidecar(config, '/health', context.signal)
  const readiness = await askSidecar(config, '/ready', context.signal)
  const { healthy, problems } = answer.body as { healthy: boolean; problems: readonly Problem[] }
  const { ready, why } = readiness.body as { ready: boolean; why: string | null }
  if (json) writeJson(context.stdout, { healthy, problems, ready, why })
  else {
    const lines = [`healthy  ${healthy ? 'yes' : 'no'}`, `ready    ${ready ? 'yes' : `no: ${why}`}`]
    for (const problem of problems)
      lines.push(`${problem.fatal ? 'FATAL' : 'problem'}  ${problem.code}: ${problem.message}`)
    context.stdout.write(`${lines.join('\n')}\n`)
  }
  return healthy ? exitCodes.ok : exitCodes.failed
}
