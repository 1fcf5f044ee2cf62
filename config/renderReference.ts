import { commands, flagsFor, profileOf } from './flags.ts'
import { formatDefault } from './formatValue.ts'
import { type Profile, profiles, profileValue } from './profiles.ts'
import { findOption, type OptionEntry, optionEntries, sections, snakeCase } from './schema.ts'

const introduction = `# Configuration

Every option of \`monmouth\`: declared once in \`config/options/\`, from where this page,
\`monmouth.example.toml\` and the flags are made. \`node config/writeDocs.ts\` writes both files again; a test holds
that they are current.

- **Order.** Default, then profile, then TOML file (\`--config FILE\`), then environment, then flags: the later wins.
  \`config print\` shows each value with its unit and origin.
- **Problems.** All of them are reported at once and nothing is started. \`config check\` only reports. Unknown sections,
  keys, flags and \`MONMOUTH_\` variables are refused, with the name that was probably meant. A value is checked even
  where a later source overrides it.
- **Spelling.** \`rows_per_block\` and \`rowsPerBlock\` are the same option, in a file and in \`--set\`; both at once are refused.
- **Environment.** \`MONMOUTH_<SECTION>_<NAME>\`; the aliases \`INSTANCE_ID\` and \`LOG_LEVEL\` yield to it. An empty variable
  counts as not set. What Kubernetes sets for a service named monmouth (\`MONMOUTH_SERVICE_HOST\`, ...) is left alone.
- **Any option by flag.** \`--set section.key=value\`, as often as needed.
- **Durations** are \`"200ms"\`, \`"5s"\`, \`"1m"\`, \`"1h"\` or a number of ms. **Sizes** are \`"64MiB"\`, \`"64MB"\` or a number of bytes.
  **Lists** are arrays in TOML and separated by commas elsewhere; programs are written \`ID=FILE\` there.
- **Paths** are taken from the working directory, whichever source they came from.
- **Secrets** are read from files that options name. URLs are shown without account, path and query.
- **Binding** options enter decisions, execution or stored rows. A data directory is bound to their values and refused
  under others: take another directory, or the old values.
`

/** The text of `config/README.md`: how the sources work together, then every option, profile and flag. */
export function renderReference(): string {
  const parts = [introduction, '## Options']
  for (const [section, { meaning }] of Object.entries(sections)) {
    const entries = optionEntries.filter((entry) => entry.section === section)
    parts.push(`### [${snakeCase(section)}]\n\n${meaning}\n\n${optionTable(entries)}`)
  }
  parts.push(`## Profiles\n\n${profileParts().join('\n\n')}`)
  parts.push(`## Flags\n\n${flagParts().join('\n\n')}`)
  return `${parts.join('\n\n').replace(/\n{3,}/g, '\n\n')}\n`
}

function optionTable(entries: readonly OptionEntry[]): string {
  const rows = entries.map((entry) => {
    const { option, variable } = entry
    const { type } = option
    const kind = [type.name, type.range, type.unit && `(${type.unit})`].filter(Boolean).join(' ')
    const variables = [variable, ...option.aliases].map((name) => `\`${name}\``).join(', ')
    const value = formatDefault(entry, 'attach')
    return [
      `\`${snakeCase(entry.name)}\``,
      kind,
      value === 'unset' ? value : `\`${value}\``,
      option.binding ? 'yes' : '',
      variables,
      option.meaning,
    ]
  })
  return table(['key', 'type', 'default', 'binding', 'environment', 'meaning'], rows)
}

function profileParts(): string[] {
  return (Object.keys(profiles) as Profile[]).map((profile) => {
    const { meaning } = profiles[profile]
    const users = commands.filter((command) => profileOf(command) === profile)
    const heading = `### ${profile}\n\n${meaning}${users.length > 0 ? ` Used by ${users.map((each) => `\`${each}\``).join(', ')}.` : ''}`
    const changed = optionEntries.filter((entry) => profileValue(entry, profile) !== undefined)
    const rows = changed.map((entry) => [`\`${entry.key}\``, `\`${formatDefault(entry, profile)}\``])
    return rows.length === 0 ? heading : `${heading}\n\n${table(['key', 'value'], rows)}`
  })
}

function flagParts(): string[] {
  const common = new Set(flagsFor('status').map(({ syntax }) => syntax))
  const rowsOf = (flags: ReturnType<typeof flagsFor>) =>
    flags.map(({ syntax, key, description }) => [
      `\`${syntax}\``,
      key ? `\`${key}\`` : '',
      key
        ? findOption(key)!.option.meaning
        : `${description.charAt(0).toUpperCase()}${description.slice(1)}.`,
    ])
  const headings = ['flag', 'option', 'meaning']
  const own = commands
    .map((command) => [command, flagsFor(command).filter(({ syntax }) => !common.has(syntax))] as const)
    .filter(([, flags]) => flags.length > 0)
  return [
    `### Every command\n\n${table(headings, rowsOf(flagsFor('status')))}`,
    ...own.map(([command, flags]) => `### ${command}\n\n${table(headings, rowsOf(flags))}`),
  ]
}

/** A table whose columns line up, as the formatter would have it. */
function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(3, heading.length, ...rows.map((row) => row[column]!.length)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  return [line(headings), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
