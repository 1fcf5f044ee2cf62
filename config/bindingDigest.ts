import { createHash } from 'node:crypto'
import { formatToml } from './formatValue.ts'
import { type Config, configValue, optionEntries } from './schema.ts'

/** What a data directory is bound to. Store both: `digest` to compare, `settings` to say what differs. */
export type Binding = {
  /** SHA-256 over the settings, 64 hex digits. */
  readonly digest: string
  /** Every binding option by key, each in its one canonical spelling. */
  readonly settings: Readonly<Record<string, string>>
}

/**
 * The settings that enter decisions, execution or stored rows: with others, the same chain gives another state, so a data
 * directory made with one binding is refused under another.
 * @param more what only the parts themselves know, by name, such as the digest of a program file
 */
export function bindingDigest(config: Config, more: Readonly<Record<string, string>> = {}): Binding {
  const bound = optionEntries.filter(({ option }) => option.binding)
  const pairs = bound.map((entry): [string, string] => {
    const { type } = entry.option
    const value = configValue(config, entry)
    if (value === undefined) return [entry.key, 'unset']
    return [entry.key, formatToml(type.bind ? type.bind(value) : type.write(value))]
  })
  const settings = Object.fromEntries([...pairs, ...Object.entries(more)])
  // Sorted, so that the order of declaration does not matter; as JSON, so that no two sets give the same text.
  const sorted = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1))
  return { digest: createHash('sha256').update(JSON.stringify(sorted)).digest('hex'), settings }
}
