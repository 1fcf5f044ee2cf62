import {
  checkConfig,
  type FlagValues,
  formatConfigProblems,
  loadConfig,
  printConfig,
  printConfigJson,
  readConfigFile,
} from '#config'
import { type CommandContext, writeJson } from './commandContext.ts'
import { exitCodes } from './exitCodes.ts'

/** `config check`: every problem at once. `config print`: every value and where it came from. */
export async function config(
  flags: FlagValues,
  { env, stdout, stderr, action }: CommandContext,
): Promise<number> {
  const isJson = flags.json === true
  if (action === 'print') {
    const resolved = await loadConfig({ env, flags })
    if (isJson) writeJson(stdout, printConfigJson(resolved))
    else stdout.write(printConfig(resolved))
    return exitCodes.ok
  }
  if (action !== 'check') {
    stderr.write(`monmouth: config takes check or print, not ${JSON.stringify(action)}\n`)
    return exitCodes.usage
  }
  const problems = checkConfig({ env, flags, file: await readConfigFile(flags) })
  if (isJson) writeJson(stdout, { ok: problems.length === 0, problems })
  else if (problems.length === 0) stdout.write('The configuration is good.\n')
  else stderr.write(`${formatConfigProblems(problems)}\n`)
  return problems.length === 0 ? exitCodes.ok : exitCodes.usage
}
