import type { ConfigProblem } from './configError.ts'
import { type Command, type Flag, flagsFor } from './flags.ts'
import type { GivenValue, Layer } from './givenValue.ts'
import { findOption, optionEntries } from './schema.ts'
import { suggest } from './suggest.ts'

/**
 * What a command was given, by attribute: commander's `opts()`, with arguments added by name. Values may also be typed,
 * for callers that are programs: `{ blocks: 20, set: ['learn.lag=2'] }`.
 */
export type FlagValues = Readonly<Record<string, unknown>>

/** Reads the options set by flags and by `--set`. Flags that set no option are left to the command. */
export function flagLayer(command: Command, given: FlagValues): Layer {
  const values: GivenValue[] = []
  const problems: ConfigProblem[] = []
  const flags = new Map(flagsFor(command).map((flag) => [flag.attribute, flag]))
  for (const [attribute, raw] of Object.entries(given)) {
    if (raw === undefined) continue
    const flag = flags.get(attribute)
    if (flag === undefined) problems.push(unknownFlag(attribute, command, flags.values()))
    else if (flag.name === '--set') {
      for (const assignment of Array.isArray(raw) ? raw : [raw]) {
        const read = readAssignment(String(assignment))
        if ('code' in read) problems.push(read)
        else values.push(read)
      }
    } else if (flag.key !== undefined) {
      const entry = findOption(flag.key)!
      values.push({ entry, raw: typed(entry.option.type, raw), origin: { kind: 'flag', name: flag.name } })
    }
  }
  return { values, problems }
}

function readAssignment(assignment: string): GivenValue | ConfigProblem {
  const equals = assignment.indexOf('=')
  // Without "=" the whole text might be a value, and so a credential: it is not repeated.
  if (equals <= 0) return malformedAssignment()
  const key = assignment.slice(0, equals).trim()
  const entry = findOption(key)
  if (entry === undefined) return unknownKey(key)
  return {
    entry,
    raw: entry.option.type.fromText(assignment.slice(equals + 1).trim()),
    origin: { kind: 'flag', name: `--set ${key}` },
  }
}

function typed(type: GivenValue['entry']['option']['type'], raw: unknown): unknown {
  return typeof raw === 'string' ? type.fromText(raw.trim()) : raw
}

function malformedAssignment(): ConfigProblem {
  return {
    code: 'bad-value',
    key: '--set',
    where: 'flag --set',
    expected: 'section.key=value',
    got: 'text without a key and "="',
    fix: 'Write for example --set learn.lag=8.',
  }
}

function unknownKey(key: string): ConfigProblem {
  const keys = optionEntries.map((entry) => entry.key)
  const meant = suggest(key, keys) ?? keys.find((each) => each.endsWith(`.${key.split('.').at(-1)}`))
  return {
    code: 'unknown-key',
    key,
    where: `flag --set ${key}`,
    expected: 'the key of an option, section.name',
    got: 'a key that is none',
    fix: meant ? `Did you mean ${meant}?` : '`config print` lists the options.',
  }
}

function unknownFlag(attribute: string, command: Command, flags: Iterable<Flag>): ConfigProblem {
  const byAttribute = new Map([...flags].map((flag) => [flag.attribute, flag.name]))
  const meant = suggest(attribute, byAttribute.keys())
  return {
    code: 'unknown-flag',
    key: attribute,
    where: `command ${command}`,
    expected: `a flag of ${command}`,
    got: 'a name that is none',
    fix: meant ? `Did you mean ${byAttribute.get(meant)}?` : `See monmouth ${command} --help.`,
  }
}
