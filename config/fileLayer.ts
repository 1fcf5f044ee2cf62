import { parse, TomlError } from 'smol-toml'
import type { ConfigProblem } from './configError.ts'
import type { GivenValue, Layer } from './givenValue.ts'
import { formatOrigin, type Origin } from './origin.ts'
import { findOption, findSection, optionEntries, sections, snakeCase } from './schema.ts'
import { suggest } from './suggest.ts'
import { tomlKeyLines } from './tomlKeyLines.ts'

/** A configuration file: its text, or why it could not be read. `path` is only shown. */
export type ConfigFile =
  | { readonly path: string; readonly text: string }
  | { readonly path: string; readonly unreadable: string }

/** Reads the values of a TOML file. Unknown sections and keys are problems, as is an option in both its spellings. */
export function fileLayer(file: ConfigFile): Layer {
  if ('unreadable' in file) return { values: [], problems: [unreadable(file.path, file.unreadable)] }
  let content: Readonly<Record<string, unknown>>
  try {
    content = parse(file.text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    return { values: [], problems: [notToml(file.path, error)] }
  }
  const lines = tomlKeyLines(file.text)
  const origin = (key: string): Origin => ({
    kind: 'file',
    path: file.path,
    line: lines.get(key) ?? lines.get(key.split('.')[0]!) ?? firstLineIn(lines, key),
  })
  return readSections(content, origin)
}

function readSections(content: Readonly<Record<string, unknown>>, origin: (key: string) => Origin): Layer {
  const values: GivenValue[] = []
  const problems: ConfigProblem[] = []
  for (const [sectionName, table] of Object.entries(content)) {
    const section = findSection(sectionName)
    if (section === undefined || !isTable(table)) {
      problems.push(notASection(sectionName, section, origin(sectionName)))
      continue
    }
    for (const [name, raw] of Object.entries(table)) {
      const key = `${sectionName}.${name}`
      const entry = findOption(key)
      if (entry === undefined) problems.push(unknownKey(key, section, origin(key)))
      else values.push({ entry, raw, origin: origin(key) })
    }
  }
  return { values, problems }
}

/** The line of the first key below `key`, for tables that only `[a.b]` headers or dotted keys make. */
function firstLineIn(lines: ReadonlyMap<string, number>, key: string): number | undefined {
  for (const [path, line] of lines) if (path.startsWith(`${key}.`)) return line
  return undefined
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

function unknownKey(key: string, section: string, origin: Origin): ConfigProblem {
  const name = key.slice(key.indexOf('.') + 1)
  const inSection = optionEntries
    .filter((entry) => entry.key.startsWith(`${section}.`))
    .map((entry) => entry.key)
  const meant = suggest(`${section}.${name}`, inSection) ?? optionNamed(name)
  return {
    code: 'unknown-key',
    key,
    where: formatOrigin(origin),
    expected: `an option of [${section}]`,
    got: 'a key that is none',
    fix: meant ? `Did you mean ${meant}?` : `Remove it, or pick one of ${inSection.join(', ')}.`,
  }
}

function notASection(name: string, section: string | undefined, origin: Origin): ConfigProblem {
  const names = Object.keys(sections).map(snakeCase)
  const meant = suggest(name, names)
  const option = optionNamed(name)
  const remedy =
    section !== undefined
      ? `Write [${section}] and its options below it.`
      : option !== undefined
        ? `Did you mean ${option}? Options stand in their section.`
        : meant !== undefined
          ? `Did you mean [${meant}]?`
          : `Remove it; the sections are ${names.join(', ')}.`
  return {
    code: section === undefined ? 'unknown-key' : 'bad-value',
    key: name,
    where: formatOrigin(origin),
    expected: 'a section of options',
    got: section === undefined ? 'a name that is none' : 'a single value',
    fix: remedy,
  }
}

/** The option that has exactly this name in some section. */
function optionNamed(name: string): string | undefined {
  return optionEntries.find((entry) => entry.key.endsWith(`.${name}`) || entry.name === name)?.key
}

function unreadable(path: string, reason: string): ConfigProblem {
  return {
    code: 'bad-file',
    key: '--config',
    where: path,
    expected: 'a file that can be read',
    got: reason,
    fix: 'Give the path of a TOML file, or leave --config out to use the defaults.',
  }
}

function notToml(path: string, error: TomlError): ConfigProblem {
  // The first line says what is wrong; the excerpt after it could show a credential.
  const reason = error.message.split('\n')[0] ?? error.message
  return {
    code: 'bad-file',
    key: '--config',
    where: `${path}:${error.line}:${error.column}`,
    expected: 'TOML',
    got: JSON.stringify(reason),
    fix: 'Correct the line; what the file sets could not be checked.',
  }
}
