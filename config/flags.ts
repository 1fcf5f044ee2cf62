import { formatDefault } from './formatValue.ts'
import type { Profile } from './profiles.ts'
import { findOption } from './schema.ts'

/** The commands that take configuration. */
export type Command =
  | 'devnet'
  | 'attach'
  | 'shim'
  | 'replay'
  | 'context'
  | 'documents'
  | 'explain'
  | 'mcp'
  | 'status'
  | 'health'
  | 'verify'
  | 'evaluate'
  | 'config'

/** A flag or argument of a command, in the form that commander's `option` and `argument` take. */
export type Flag = {
  /** `--data-dir <dir>`, or `[url]` for an argument. */
  readonly syntax: string
  readonly description: string
  /** The property that commander stores it under: `dataDir`; for an argument the name to pass it on by: `url`. */
  readonly attribute: string
  /** As shown in an origin: `--data-dir`, `URL`. */
  readonly name: string
  readonly isArgument: boolean
  /** True when it may be given several times, and is handed over as a list. */
  readonly repeatable: boolean
  /** The option it sets; undefined for what is the command's own affair, such as `--json`. */
  readonly key: string | undefined
}

type Declared = { syntax: string; key?: string; description?: string; repeatable?: boolean }

const commonFlags: readonly Declared[] = [
  { syntax: '--config <file>', description: 'TOML file to read options from' },
  { syntax: '--profile <name>', description: 'values to use as defaults: attach, devnet, replay or test' },
  { syntax: '--data-dir <dir>', key: 'general.data_dir' },
  { syntax: '--http <host:port>', key: 'http.listen' },
  { syntax: '--log-level <level>', key: 'general.log_level' },
  {
    syntax: '--set <key=value>',
    description: 'set any option by its key; may be repeated',
    repeatable: true,
  },
  { syntax: '--json', description: 'write exactly one JSON document to standard output' },
]

const trafficFlags = (section: string): readonly Declared[] => [
  { syntax: '--svm-share <share>', key: `${section}.svm_share` },
  { syntax: '--reorg-every <blocks>', key: `${section}.reorg_every` },
  { syntax: '--reorg-depth <blocks>', key: `${section}.reorg_depth` },
  { syntax: '--seed <number>', key: `${section}.seed` },
]

type CommandFlags = { profile: Profile; needs: readonly string[]; flags: readonly Declared[] }

const commandFlags: Readonly<Record<Command, CommandFlags>> = {
  devnet: {
    profile: 'devnet',
    needs: [],
    flags: [
      { syntax: '--blocks <number>', key: 'devnet.blocks' },
      { syntax: '--block-time <ms>', key: 'devnet.block_time' },
      { syntax: '--tx-per-block <number>', key: 'devnet.tx_per_block' },
      ...trafficFlags('devnet'),
    ],
  },
  attach: {
    profile: 'attach',
    needs: ['node.url'],
    flags: [
      { syntax: '[url]', key: 'node.url' },
      { syntax: '--blocks <number>', key: 'attach.blocks' },
      { syntax: '--rpc <url>', key: 'node.rpc' },
    ],
  },
  shim: {
    profile: 'attach',
    needs: ['shim.rpc'],
    flags: [
      { syntax: '--rpc <url>', key: 'shim.rpc' },
      { syntax: '--listen <host:port>', key: 'shim.listen' },
    ],
  },
  replay: {
    profile: 'replay',
    needs: [],
    flags: [
      {
        syntax: '<files...>',
        description: 'recorded blocks, JSON lines as from eth_getBlockByNumber, also .gz',
        repeatable: true,
      },
      { syntax: '--repeat <times>', key: 'replay.repeat' },
      ...trafficFlags('replay'),
    ],
  },
  context: {
    profile: 'attach',
    needs: [],
    flags: [
      { syntax: '<query>', description: 'what to look for' },
      { syntax: '--limit <items>', key: 'query.limit' },
      { syntax: '--filter <sql>', description: 'condition on the facts of an item' },
      { syntax: '--tokens <number>', key: 'query.tokens' },
    ],
  },
  documents: {
    profile: 'attach',
    needs: [],
    flags: [
      { syntax: '<action>', description: 'add, list or remove' },
      {
        syntax: '[items...]',
        description: 'files to add, - for standard input; or ids to remove',
        repeatable: true,
      },
      { syntax: '--title <title>', description: "what a document is called (default: the file's name)" },
      { syntax: '--kind <kind>', description: "abi, source or note (default: by the file's ending)" },
      { syntax: '--contract <address>', description: 'the contract it is about' },
    ],
  },
  explain: {
    profile: 'attach',
    needs: [],
    flags: [
      { syntax: '<transaction>', description: 'hash of the transaction' },
      { syntax: '--chat-url <url>', key: 'chat.url' },
      { syntax: '--model <name>', key: 'chat.model' },
    ],
  },
  mcp: { profile: 'attach', needs: [], flags: [] },
  status: { profile: 'attach', needs: [], flags: [] },
  health: { profile: 'attach', needs: [], flags: [] },
  verify: { profile: 'attach', needs: [], flags: [] },
  evaluate: {
    profile: 'replay',
    needs: [],
    flags: [
      {
        syntax: '[files...]',
        description:
          'recorded blocks, JSON lines as from eth_getBlockByNumber with receipts beside, also .gz',
        repeatable: true,
      },
      {
        syntax: '--generate <blocks>',
        description: 'also evaluate on so many generated blocks of SVM traffic',
      },
      { syntax: '--seed <text>', description: 'seed of generated traffic and of resampling (default 1)' },
      { syntax: '--out <dir>', description: 'write report.json, reliability.svg and coverage.svg there' },
    ],
  },
  config: { profile: 'attach', needs: [], flags: [] },
}

/** The names of the commands, in the order in which they are shown. */
export const commands = Object.keys(commandFlags) as readonly Command[]

/** Everything a command takes: arguments first, then its own flags, then those of every command. */
export function flagsFor(command: Command): readonly Flag[] {
  const { flags, profile } = commandFlags[command]
  return [...flags, ...commonFlags].map((declared) => toFlag(declared, profile))
}

/** The profile a command uses when none is named. */
export function profileOf(command: Command): Profile {
  return commandFlags[command].profile
}

/** The options without which a command cannot start. */
export function neededBy(command: Command): readonly string[] {
  return commandFlags[command].needs
}

function toFlag({ syntax, key, description, repeatable = false }: Declared, profile: Profile): Flag {
  const isArgument = !syntax.startsWith('-')
  const word = syntax
    .replace(/^--/, '')
    .replace(/ .*$/, '')
    .replace(/[<>[\]]|\.\.\./g, '')
  return {
    syntax,
    description: description ?? describeOption(key!, profile),
    attribute: word.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    name: isArgument ? word.toUpperCase() : `--${word}`,
    isArgument,
    repeatable,
    key,
  }
}

function describeOption(key: string, profile: Profile): string {
  const entry = findOption(key)!
  const { meaning, optional } = entry.option
  const sentence = meaning.charAt(0).toLowerCase() + meaning.slice(1).replace(/\.$/, '')
  return optional ? sentence : `${sentence} (default ${formatDefault(entry, profile)})`
}
