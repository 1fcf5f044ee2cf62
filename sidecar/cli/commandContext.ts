import pino, { type Logger } from 'pino'
import { type Command, type FlagValues, loadConfig, type ResolvedConfig } from '#config'

/** What a command is given beside its flags. */
export type CommandContext = {
  readonly env: NodeJS.ProcessEnv
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /** The word after `config`. */
  readonly action: string
}

/** The resolved configuration of a command, and its logger: JSON lines on stderr, so that stdout stays the answer's. */
export async function prepare(
  command: Command,
  flags: FlagValues,
  { env }: CommandContext,
): Promise<ResolvedConfig & { logger: Logger; json: boolean }> {
  const resolved = await loadConfig({ command, env, flags })
  const { instanceId, logLevel } = resolved.config.general
  const logger = pino(
    { level: logLevel, base: { instance: instanceId } },
    pino.destination({ fd: 2, sync: true }),
  )
  return { ...resolved, logger, json: flags.json === true }
}

/** Writes the one JSON document of `--json`. */
export function writeJson(stdout: NodeJS.WritableStream, document: unknown): void {
  stdout.write(`${JSON.stringify(document)}\n`)
}
