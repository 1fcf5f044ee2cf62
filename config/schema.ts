import type { Option, OptionValue } from './option.ts'
import { attach } from './options/attach.ts'
import { caching } from './options/caching.ts'
import { chain } from './options/chain.ts'
import { chat } from './options/chat.ts'
import { context } from './options/context.ts'
import { decisionEngine } from './options/decisionEngine.ts'
import { devnet } from './options/devnet.ts'
import { embedder } from './options/embedder.ts'
import { exex } from './options/exex.ts'
import { finality } from './options/finality.ts'
import { findings } from './options/findings.ts'
import { general } from './options/general.ts'
import { http } from './options/http.ts'
import { learn } from './options/learn.ts'
import { mcp } from './options/mcp.ts'
import { memory } from './options/memory.ts'
import { node } from './options/node.ts'
import { query } from './options/query.ts'
import { replay } from './options/replay.ts'
import { shim } from './options/shim.ts'
import { state } from './options/state.ts'
import { svm } from './options/svm.ts'
import { vector } from './options/vector.ts'

/** Every option of the product, by section, in the order in which they are shown. */
export const sections = {
  general,
  http,
  node,
  shim,
  chain,
  finality,
  state,
  exex,
  svm,
  decisionEngine,
  learn,
  context,
  vector,
  memory,
  findings,
  query,
  caching,
  embedder,
  mcp,
  chat,
  devnet,
  attach,
  replay,
}

/** The resolved configuration: durations in ms, sizes in bytes, `config.vector.rowsPerBlock` for `vector.rows_per_block`. */
export type Config = {
  readonly [S in keyof typeof sections]: {
    readonly [K in keyof (typeof sections)[S]['options']]: OptionValue<(typeof sections)[S]['options'][K]>
  }
}

/** An option with the names it goes by. */
export type OptionEntry = {
  /** Canonical, as in TOML: `vector.rows_per_block`. */
  readonly key: string
  /** The other spelling: `vector.rowsPerBlock`. */
  readonly camelKey: string
  /** The two steps to its value in `Config`. */
  readonly section: keyof Config
  readonly name: string
  /** `MONMOUTH_VECTOR_ROWS_PER_BLOCK`. */
  readonly variable: string
  readonly option: Option
}

/** Every option in one list, in the order of `sections`. */
export const optionEntries: readonly OptionEntry[] = Object.entries(sections).flatMap(
  ([section, { options }]) =>
    Object.entries<Option>(options).map(([name, option]) => {
      const key = `${snakeCase(section)}.${snakeCase(name)}`
      return {
        key,
        camelKey: `${section}.${name}`,
        section: section as keyof Config,
        name,
        variable: `MONMOUTH_${key.replace('.', '_').toUpperCase()}`,
        option,
      }
    }),
)

// Section and name are looked up on their own, so that `decision_engine.modelType` names the option too.
const bySpelling = new Map(
  optionEntries.flatMap((entry) => {
    const [section = '', name = ''] = entry.key.split('.')
    const spellings = [section, entry.section].flatMap((each) => [`${each}.${name}`, `${each}.${entry.name}`])
    return spellings.map((spelling) => [spelling, entry] as const)
  }),
)

/** The option that a key names in either spelling, or undefined. */
export function findOption(key: string): OptionEntry | undefined {
  return bySpelling.get(key)
}

/** The canonical name of the section that a name in either spelling means, or undefined. */
export function findSection(name: string): string | undefined {
  const found = Object.keys(sections).find((each) => each === name || snakeCase(each) === name)
  return found && snakeCase(found)
}

/** The value of an option in a resolved configuration. */
export function configValue(config: Config, entry: OptionEntry): unknown {
  return (config[entry.section] as Readonly<Record<string, unknown>>)[entry.name]
}

/** `rowsPerBlock` as `rows_per_block`; what is in snake case already stays. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
