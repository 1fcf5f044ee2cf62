import type { ValueType } from './types/valueType.ts'

/** One option, declared once: the schema, the reference, the example file and the flags are all made from it. */
export type Option<T = unknown, Optional extends boolean = boolean> = {
  readonly type: ValueType<T>
  /** True when the option may be left unset; then there is no default. */
  readonly optional: Optional
  readonly default: T | undefined
  /** Key of the option whose value is the default instead. */
  readonly follows: string | undefined
  /** One sentence: what the value does, and what special values mean. */
  readonly meaning: string
  /** True when the value enters a decision, an execution or a stored row: a data directory is bound to it. */
  readonly binding: boolean
  /** Names of environment variables that are read when the option's own variable is not set. */
  readonly aliases: readonly string[]
  /** A value to show where there is no default. */
  readonly example: T | undefined
}

type Facts = { readonly meaning: string; readonly binding?: boolean; readonly aliases?: readonly string[] }

/** A section of options, a table in TOML. */
export type Section<O extends Readonly<Record<string, Option>> = Readonly<Record<string, Option>>> = {
  readonly meaning: string
  readonly options: O
}

/** What an option resolves to. */
export type OptionValue<O> =
  O extends Option<infer T, infer Optional> ? (Optional extends true ? T | undefined : T) : never

/** An option with a default, so that it always has a value. */
export function option<T>(
  type: ValueType<T>,
  facts: Facts & { readonly default: NoInfer<T> },
): Option<T, false> {
  return declare(type, facts, { optional: false, default: facts.default })
}

/** An option that may stay unset. */
export function optional<T>(
  type: ValueType<T>,
  facts: Facts & { readonly example: NoInfer<T> },
): Option<T, true> {
  return declare(type, facts, { optional: true, example: facts.example })
}

/** An option that has the value of another one, of the same type, unless it is given. */
export function following<T>(type: ValueType<T>, key: string, facts: Facts): Option<T, false> {
  return declare(type, facts, { optional: false, follows: key })
}

/** Names a section's meaning; the section's own name is where it stands in `sections`. */
export function section<const O extends Readonly<Record<string, Option>>>(
  meaning: string,
  options: O,
): Section<O> {
  return { meaning, options }
}

function declare<T, Optional extends boolean>(
  type: ValueType<T>,
  { meaning, binding = false, aliases = [] }: Facts,
  value: { optional: Optional; default?: T; follows?: string; example?: T },
): Option<T, Optional> {
  return {
    type,
    optional: value.optional,
    default: value.default,
    follows: value.follows,
    meaning,
    binding,
    aliases,
    example: value.example,
  }
}
