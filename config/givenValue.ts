import type { ConfigProblem } from './configError.ts'
import type { Origin } from './origin.ts'
import type { OptionEntry } from './schema.ts'

/** A value as one source gave it, not yet checked. */
export type GivenValue = {
  readonly entry: OptionEntry
  /** Typed, as TOML has it. */
  readonly raw: unknown
  readonly origin: Origin
}

/** What one source gave, and what of it names no option. */
export type Layer = { readonly values: readonly GivenValue[]; readonly problems: readonly ConfigProblem[] }

/** A given value in a problem: short, on one line, credentials taken out. */
export function describeGiven({ entry, raw }: GivenValue): string {
  const { mask } = entry.option.type
  if (typeof raw === 'string') return JSON.stringify(shorten(mask ? mask(raw) : raw))
  if (typeof raw === 'number' || typeof raw === 'boolean') return String(raw)
  if (raw instanceof Date) return 'a date'
  // Text and numbers apart, no option may show what it holds: it may be a credential in the wrong place.
  return Array.isArray(raw) ? `a list of ${raw.length}` : 'a table'
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`
}
