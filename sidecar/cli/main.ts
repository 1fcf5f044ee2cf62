import { Command, CommanderError } from 'commander'
import { type Command as CommandName, commands, type FlagValues, flagsFor } from '#config'
import type { CommandContext } from './commandContext.ts'
import { exitCodes } from './exitCodes.ts'
import { untilSignal } from './signals.ts'

/** A command: does its work until done or `signal`, and returns its exit code. Throws typed errors. */
export type CommandRun = (flags: FlagValues, context: CommandContext) => Promise<number>

// Loaded when called: `--help` and `status` need no database and no VM.
const runs: Readonly<Record<CommandName, () => Promise<CommandRun>>> = {
  devnet: async () => (await import('./devnet.ts')).devnet,
  attach: async () => (await import('./attach.ts')).attach,
  shim: async () => (await import('./shim.ts')).shim,
  replay: async () => (await import('./replay.ts')).replay,
  context: async () => (await import('./context.ts')).context,
  documents: async () => (await import('./documents.ts')).documents,
  explain: async () => (await import('./explain.ts')).explain,
  mcp: async () => (await import('./mcp.ts')).mcp,
  status: async () => (await import('./status.ts')).status,
  health: async () => (await import('./health.ts')).health,
  verify: async () => (await import('./verify.ts')).verify,
  evaluate: async () => (await import('./evaluate.ts')).evaluate,
  config: async () => (await import('./config.ts')).config,
}

const descriptions: Readonly<Record<CommandName, string>> = {
  devnet: 'run an embedded chain with traffic, reproducible by seed: anvil, shim and sidecar',
  attach: 'follow a node: grpc:// or grpcs:// (a shim), http(s):// or ws(s):// (any JSON-RPC node)',
  shim: 'serve the notification stream of any JSON-RPC node',
  replay: 'play recorded blocks through a real stream',
  context: 'ask the vector store of a data directory, or of a running sidecar',
  documents:
    'add, list or remove texts to be searched: of a running sidecar; with --data-dir, or when none answers, in the folder itself',
  explain: 'say why a running sidecar decided a transaction as it did, from facts; a model may word them',
  mcp: 'serve the tools of a running sidecar to an MCP client, over standard input and output',
  status: 'print the status of a running sidecar',
  health: 'print the health of a running sidecar; exit code 1 when it is not healthy',
  verify: 'read a data directory whole and check everything it promises',
  evaluate: 'test, then train: how good the scorer is on recorded blocks, and on generated SVM traffic',
  config: 'check or print the configuration: `config check`, `config print`',
}

/** Shown below the flags, where they do not say enough. */
const examples: Partial<Record<CommandName, string>> = {
  context: 'monmouth context "failed transfers to:0x…" --filter "block_number > 100"',
  explain: 'monmouth explain 0x… --chat-url http://127.0.0.1:11434/v1 --model llama3.2',
  mcp: 'monmouth mcp --http 127.0.0.1:8080',
  evaluate: 'monmouth evaluate blocks.jsonl.gz --generate 300 --seed 1 --out report',
}

/**
 * Runs one command line.
 * @param argv without the program's own two words
 * @returns the exit code; what went wrong is already told on stderr (and as JSON on stdout with `--json`)
 */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  let exitCode: number = exitCodes.ok
  const program = new Command('monmouth')
    .description('Attaches to an Ethereum node and keeps a Solana VM in step with its canonical chain.')
    .showHelpAfterError('(add --help for what it takes)')
    .exitOverride()
  for (const name of commands) {
    const command = program.command(name).description(descriptions[name])
    const flags = flagsFor(name)
    for (const { isArgument, syntax, description, repeatable } of flags) {
      if (isArgument) command.argument(syntax, description)
      else if (repeatable) command.option(syntax, description, collect)
      else command.option(syntax, description)
    }
    const example = examples[name]
    if (example) command.addHelpText('after', `\nExample:\n  ${example}`)
    const args = flags.filter((flag) => flag.isArgument)
    if (name === 'config') command.argument('<action>', 'check or print')
    command.action(async (...given: unknown[]) => {
      const options = command.opts<FlagValues>()
      const positional = Object.fromEntries(args.map((flag, i) => [flag.attribute, given[i]]))
      exitCode = await runCommand(await runs[name](), { ...options, ...positional }, env, String(given[0]))
    })
  }
  // Of the harness, not of the sidecar: it takes none of its options.
  program
    .command('topology')
    .description(
      'start a topology of nodes and sidecars, with traffic, until Ctrl-C; without a name, list them',
    )
    .argument('[name]', 'which')
    .option('--node <kind>', 'anvil, or reth with MONMOUTH_RETH naming the program', 'anvil')
    .option('--containers', 'containers instead of processes')
    .option('--block-time <ms>', 'pause between blocks', '1000')
    .action(async (name: string | undefined, options: FlagValues) => {
      const { topology } = await import('./topology.ts')
      exitCode = await runCommand(topology, { ...options, ...(name === undefined ? {} : { name }) }, env, '')
    })
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Commander has told it already; help and version are no failures.
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
  return exitCode
}

async function runCommand(
  run: CommandRun,
  flags: FlagValues,
  env: NodeJS.ProcessEnv,
  action: string,
): Promise<number> {
  using signals = untilSignal(process)
  try {
    return await run(flags, {
      env,
      signal: signals.signal,
      stdout: process.stdout,
      stderr: process.stderr,
      action,
    })
  } catch (error) {
    const { codeOf, describeError, exitCodeOf } = await import('./describeFailure.ts')
    if (flags.json === true) {
      const document = { error: { code: codeOf(error), message: describeError(error) } }
      process.stdout.write(`${JSON.stringify(document)}\n`)
    }
    process.stderr.write(`monmouth: ${describeError(error)}\n`)
    return exitCodeOf(error)
  }
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
