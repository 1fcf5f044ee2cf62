import { stringify } from 'smol-toml'
import { type Profile, profileValue } from './profiles.ts'
import type { OptionEntry } from './schema.ts'
import type { PlainValue } from './types/valueType.ts'

/** A value as TOML writes it on one line. */
export function formatToml(value: PlainValue): string {
  if (Array.isArray(value)) return `[${value.map(formatToml).join(', ')}]`
  if (typeof value === 'object') {
    return `{ ${Object.entries(value)
      .map(([key, each]) => `${key} = ${formatToml(each)}`)
      .join(', ')} }`
  }
  // smol-toml knows the escapes of strings; `v = ` and the newline around the value are dropped.
  return typeof value === 'string' ? stringify({ v: value }).trimEnd().slice('v = '.length) : String(value)
}

/** The value an option has in a profile when nothing sets it: its own, else the default; undefined when it has none. */
export function defaultIn(entry: OptionEntry, profile: Profile): unknown {
  return profileValue(entry, profile) ?? entry.option.default
}

/** The default of an option as words for a reference: `5s`, `general.instance_id`, `unset`. */
export function formatDefault(entry: OptionEntry, profile: Profile): string {
  if (entry.option.follows !== undefined) return entry.option.follows
  const value = defaultIn(entry, profile)
  if (value === undefined) return 'unset'
  const written = entry.option.type.write(value)
  return typeof written === 'string' ? written : formatToml(written)
}
