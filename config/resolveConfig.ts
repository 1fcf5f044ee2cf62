import { ConfigError, type ConfigProblem } from './configError.ts'
import { type Environment, environmentLayer } from './environmentLayer.ts'
import { type ConfigFile, fileLayer } from './fileLayer.ts'
import { type FlagValues, flagLayer } from './flagLayer.ts'
import { type Command, neededBy, profileOf } from './flags.ts'
import { formatToml } from './formatValue.ts'
import { describeGiven, type GivenValue, type Layer } from './givenValue.ts'
import { formatOrigin, type Origin } from './origin.ts'
import { isProfile, type Profile, profiles, profileValue } from './profiles.ts'
import { relations } from './relations.ts'
import { type Config, configValue, findOption, type OptionEntry, optionEntries } from './schema.ts'
import { suggest } from './suggest.ts'

/** What a configuration is made from, weakest first: defaults, profile, file, environment, flags. */
export type ConfigSources = {
  /** The command being run: its flags are read, and what it needs must be set. Default: `config`, which needs nothing. */
  readonly command?: Command
  /** Default: the flag `--profile`, else the command's own profile. */
  readonly profile?: Profile
  readonly file?: ConfigFile | undefined
  readonly env: Environment
  readonly flags?: FlagValues
}

/** A configuration without problems, and where each value came from. */
export type ResolvedConfig = {
  readonly profile: Profile
  readonly config: Config
  /** By canonical key: `vector.rows_per_block`. */
  readonly origins: Readonly<Record<string, Origin>>
}

/**
 * Makes the configuration from its sources. Touches nothing outside: no file, no `process.env`.
 * @throws {ConfigError} with every problem of every source, and every relation that does not hold
 */
export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const { resolved, problems } = evaluate(sources)
  if (problems.length > 0) throw new ConfigError(problems)
  return resolved
}

/** Every problem that `resolveConfig` would throw; none means that the configuration is good. */
export function checkConfig(sources: ConfigSources): readonly ConfigProblem[] {
  return evaluate(sources).problems
}

type Values = Map<string, { readonly value: unknown; readonly origin: Origin }>

function evaluate(sources: ConfigSources): { resolved: ResolvedConfig; problems: readonly ConfigProblem[] } {
  const { command = 'config', file, env, flags = {} } = sources
  const problems: ConfigProblem[] = []
  const profile = chooseProfile(sources.profile ?? flags.profile ?? profileOf(command), problems)
  const values = startFrom(profile)
  const bad = new Set<string>()
  const layers = [file ? fileLayer(file) : undefined, environmentLayer(env), flagLayer(command, flags)]
  for (const layer of layers) if (layer) applyLayer(layer, values, bad, problems)
  follow(values)
  const resolved = { profile, config: assemble(values), origins: originsOf(values) }
  // Without the file, values that it sets would be called missing, and its share of a relation be the default.
  const isWhole = !problems.some(({ code }) => code === 'bad-file')
  if (isWhole) problems.push(...missing(command, resolved, bad), ...conflicts(resolved, bad))
  return { resolved, problems }
}

function chooseProfile(name: unknown, problems: ConfigProblem[]): Profile {
  if (isProfile(name)) return name
  const names = Object.keys(profiles)
  const meant = suggest(String(name), names)
  problems.push({
    code: 'unknown-profile',
    key: '--profile',
    where: 'flag --profile',
    expected: `one of ${names.join(', ')}`,
    got: JSON.stringify(String(name)),
    fix: meant ? `Did you mean ${meant}?` : 'Name one of these, or leave it out.',
  })
  return 'attach'
}

function startFrom(profile: Profile): Values {
  const values: Values = new Map()
  for (const entry of optionEntries) {
    const value = profileValue(entry, profile)
    const origin: Origin = value === undefined ? { kind: 'default' } : { kind: 'profile', profile }
    values.set(entry.key, { value: value ?? entry.option.default, origin })
  }
  return values
}

/** Checks every value of a layer, overridden later or not, and puts the good ones over those of weaker layers. */
function applyLayer(layer: Layer, values: Values, bad: Set<string>, problems: ConfigProblem[]): void {
  problems.push(...layer.problems)
  const given = new Map<string, GivenValue>()
  for (const each of layer.values) {
    const { key, option } = each.entry
    const earlier = given.get(key)
    if (earlier !== undefined) problems.push(givenTwice(earlier, each))
    given.set(key, each)
    const parsed = option.type.parse(each.raw)
    if ('value' in parsed) values.set(key, { value: parsed.value, origin: each.origin })
    else {
      bad.add(key)
      problems.push(badValue(each, parsed.expected))
    }
  }
}

/** Gives options that follow another its value, where nothing set them. */
function follow(values: Values): void {
  for (const { key, option } of optionEntries) {
    if (option.follows === undefined || values.get(key)?.origin.kind !== 'default') continue
    values.set(key, {
      value: values.get(option.follows)?.value,
      origin: { kind: 'option', key: option.follows },
    })
  }
}

function assemble(values: Values): Config {
  const config: Record<string, Record<string, unknown>> = {}
  for (const entry of optionEntries) {
    config[entry.section] ??= {}
    config[entry.section]![entry.name] = values.get(entry.key)?.value
  }
  // The one place where the table of options becomes the type derived from it.
  return config as unknown as Config
}

function originsOf(values: Values): Readonly<Record<string, Origin>> {
  return Object.fromEntries([...values].map(([key, { origin }]) => [key, origin]))
}

function missing(
  command: Command,
  { config, profile }: ResolvedConfig,
  bad: ReadonlySet<string>,
): ConfigProblem[] {
  return neededBy(command)
    .map((key) => findOption(key)!)
    .filter((entry) => configValue(config, entry) === undefined && !bad.has(entry.key))
    .map((entry) => ({
      code: 'missing',
      key: entry.key,
      where: `command ${command}, profile ${profile}`,
      expected: entry.option.type.expected,
      got: 'nothing',
      fix: `Give it on the command line, as ${entry.variable}, or as ${entry.key} in the file.`,
    }))
}

function conflicts(resolved: ResolvedConfig, bad: ReadonlySet<string>): ConfigProblem[] {
  const { config, origins } = resolved
  return relations
    .filter(({ keys, holds }) => !keys.some((key) => bad.has(key)) && !holds(config))
    .map(({ keys, expected, fix }) => {
      const entries = keys.map((key) => findOption(key)!)
      return {
        code: 'conflict',
        key: keys[0]!,
        where: entries.map(({ key }) => `${key}: ${formatOrigin(origins[key]!)}`).join('; '),
        expected,
        got: entries.map((entry) => `${entry.key} ${describeValue(entry, config)}`).join(', '),
        fix,
      }
    })
}

function describeValue(entry: OptionEntry, config: Config): string {
  const value = configValue(config, entry)
  if (value === undefined) return 'unset'
  const { type } = entry.option
  const written = type.write(value)
  return formatToml(typeof written === 'string' && type.mask ? type.mask(written) : written)
}

function badValue(given: GivenValue, expected: string): ConfigProblem {
  const { entry, origin } = given
  return {
    code: 'bad-value',
    key: entry.key,
    where: formatOrigin(origin),
    expected,
    got: describeGiven(given),
    fix: entry.option.optional
      ? 'Correct the value, or leave it out.'
      : 'Correct the value, or leave it out for its default.',
  }
}

function givenTwice(first: GivenValue, second: GivenValue): ConfigProblem {
  const { key, camelKey } = second.entry
  const isFile = second.origin.kind === 'file'
  return {
    code: 'given-twice',
    key,
    where: `${formatOrigin(first.origin)} and ${formatOrigin(second.origin)}`,
    expected: 'one value from each source',
    got: 'two',
    fix: isFile ? `${key} and ${camelKey} are the same option: keep one.` : 'Keep one of the flags.',
  }
}
