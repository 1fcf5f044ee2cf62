import type { ConfigProblem } from './configError.ts'
import type { GivenValue, Layer } from './givenValue.ts'
import { optionEntries } from './schema.ts'
import { suggest } from './suggest.ts'

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

const prefix = 'MONMOUTH_'

/** Read by the test suite, not by the program, which its processes inherit it into. */
const otherVariables = new Set(['MONMOUTH_SHARED'])

/**
 * Reads the options set by environment variables: `MONMOUTH_<SECTION>_<NAME>`, else an alias such as `LOG_LEVEL`. An
 * empty variable counts as not set, as compose files pass on variables they have no value for. Any other variable that
 * starts with `MONMOUTH_` is a problem, but for those Kubernetes sets for a service named monmouth.
 */
export function environmentLayer(environment: Environment): Layer {
  const values: GivenValue[] = []
  for (const entry of optionEntries) {
    const name = [entry.variable, ...entry.option.aliases].find((each) => isSet(environment[each]))
    if (name === undefined) continue
    values.push({
      entry,
      raw: entry.option.type.fromText(environment[name]!.trim()),
      origin: { kind: 'environment', name },
    })
  }
  const known = new Set(optionEntries.map((entry) => entry.variable))
  const problems = Object.entries(environment)
    .filter(([name]) => name.startsWith(prefix) && !known.has(name) && !otherVariables.has(name))
    .filter(([name, value]) => !isServiceLink(name, value ?? ''))
    .map(([name]) => unknownVariable(name, known))
  return { values, problems }
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== ''
}

/**
 * Kubernetes gives every pod `MONMOUTH_SERVICE_HOST`, `MONMOUTH_PORT=tcp://10.0.0.1:8080` and their like for services
 * of its namespace called `monmouth` or `monmouth-...`. The values are looked at too: `MONMOUTH_HTTP_PORT=8080` is a typo.
 */
function isServiceLink(name: string, value: string): boolean {
  if (/_SERVICE_HOST$|_PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)$/.test(name)) return true
  if (/_SERVICE_PORT(_[A-Z0-9_]+)?$/.test(name)) return /^\d+$/.test(value)
  return /_PORT(_\d+_(TCP|UDP|SCTP))?$/.test(name) && /^(tcp|udp|sctp):\/\//.test(value)
}

function unknownVariable(name: string, known: ReadonlySet<string>): ConfigProblem {
  // MONMOUTH_LOG_LEVEL: the right name without its section.
  const ending = name.slice(prefix.length - 1)
  const meant = suggest(name, known) ?? [...known].find((each) => each.endsWith(ending))
  return {
    code: 'unknown-variable',
    key: name,
    where: `env ${name}`,
    expected: `the variable of an option, ${prefix}<SECTION>_<NAME>`,
    got: 'a variable that is none',
    fix: meant ? `Did you mean ${meant}?` : 'Unset it; `config print` lists the options.',
  }
}
