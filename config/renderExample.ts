import { formatToml } from './formatValue.ts'
import { findOption, type OptionEntry, optionEntries, sections, snakeCase } from './schema.ts'

/** The text of `config/monmouth.example.toml`: every option as a comment, with its default and meaning. */
export function renderExample(): string {
  const lines = [
    '# Every option with its default. Copy what you change; what stays away keeps its default.',
    '# Options without a default are shown with an example. The reference is config/README.md.',
  ]
  for (const [section, { meaning }] of Object.entries(sections)) {
    lines.push('', `# ${meaning}`, `[${snakeCase(section)}]`)
    for (const entry of optionEntries.filter((each) => each.section === section))
      lines.push(...renderOption(entry))
  }
  return `${lines.join('\n')}\n`
}

function renderOption(entry: OptionEntry): string[] {
  const { type, meaning, binding, follows } = entry.option
  const { option: shown } = follows === undefined ? entry : findOption(follows)!
  const notes = [
    type.unit,
    follows && `default: the value of ${follows}`,
    binding ? 'binds the data directory' : undefined,
  ].filter(Boolean)
  return [
    `## ${meaning}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`,
    `# ${snakeCase(entry.name)} = ${formatToml(shown.type.write(shown.default ?? shown.example))}`,
  ]
}
