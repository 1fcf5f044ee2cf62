import { formatToml } from './formatValue.ts'
import { formatOrigin, type Origin } from './origin.ts'
import type { ResolvedConfig } from './resolveConfig.ts'
import { configValue, type OptionEntry, optionEntries, sections, snakeCase } from './schema.ts'
import type { PlainValue } from './types/valueType.ts'

/** One option in the JSON form. */
export type PrintedOption = {
  /** In `unit`; null when unset. With `hidden`, the value without the credentials in it. */
  readonly value: PlainValue | null
  readonly unit: string | undefined
  readonly origin: string
  readonly variable: string
  readonly binding: boolean
  readonly hidden: boolean
}

/**
 * The configuration as TOML, each value with its unit and origin beside it; it can be used as a file and gives the same
 * configuration again. A value that holds a credential is shown without it and as a comment, so that it is not copied.
 */
export function printConfig(resolved: ResolvedConfig): string {
  const lines = [`# profile ${resolved.profile}`]
  for (const section of Object.keys(sections)) {
    lines.push('', `[${snakeCase(section)}]`)
    for (const entry of optionEntries.filter((each) => each.section === section)) {
      lines.push(printLine(entry, resolved))
    }
  }
  return `${lines.join('\n')}\n`
}

/** The same as one JSON document: values as numbers in their unit, by canonical key. */
export function printConfigJson(resolved: ResolvedConfig): {
  readonly profile: string
  readonly options: Readonly<Record<string, PrintedOption>>
} {
  const options = optionEntries.map((entry): [string, PrintedOption] => {
    const { type, binding } = entry.option
    const value = configValue(resolved.config, entry)
    const plain = value === undefined ? null : type.plain(value)
    const shown = typeof plain === 'string' && type.mask ? type.mask(plain) : plain
    const origin = formatOrigin(originOf(entry, resolved))
    return [
      entry.key,
      { value: shown, unit: type.unit, origin, variable: entry.variable, binding, hidden: shown !== plain },
    ]
  })
  return { profile: resolved.profile, options: Object.fromEntries(options) }
}

function printLine(entry: OptionEntry, resolved: ResolvedConfig): string {
  const name = snakeCase(entry.name)
  const { type } = entry.option
  const value = configValue(resolved.config, entry)
  const origin = formatOrigin(originOf(entry, resolved))
  if (value === undefined) return withRemark(`# ${name}`, 'unset')
  const written = type.write(value)
  const shown = typeof written === 'string' && type.mask ? type.mask(written) : written
  if (shown !== written)
    return withRemark(`# ${name} = ${formatToml(shown)}`, `credentials hidden, ${origin}`)
  // Durations and sizes carry their unit in the value.
  const unit = typeof written === 'number' ? type.unit : undefined
  return withRemark(`${name} = ${formatToml(written)}`, [unit, origin].filter(Boolean).join(', '))
}

function withRemark(setting: string, remark: string): string {
  return `${setting.padEnd(48)} # ${remark.replace(/\p{Cc}/gu, '?')}`
}

function originOf(entry: OptionEntry, { origins }: ResolvedConfig): Origin {
  return origins[entry.key]!
}
