/** What a TOML file can hold, and what a value is written back as. */
export type PlainValue =
  | string
  | number
  | boolean
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue }

/** A value that was read, or a sentence part saying what was expected instead. */
export type Parsed<T> = { readonly value: T } | { readonly expected: string }

/**
 * One kind of option value: how it is read, checked and written back.
 * `parse(write(value))` gives `value` again, and so does `parse(plain(value))`.
 */
export interface ValueType<T> {
  /** For the reference: `integer`, `duration`, `"durable" or "observer"`. */
  readonly name: string
  /** What a good value looks like, ranges included; follows the word "expected" in a problem. */
  readonly expected: string
  /** The bounds alone, for the reference: `from 1 to 64`. */
  readonly range?: string
  /** The unit of the resolved value, such as `ms`, `bytes`, `blocks`; undefined where there is none. */
  readonly unit: string | undefined
  /** Reads a typed value, as TOML gives it. Never throws. */
  parse(raw: unknown): Parsed<T>
  /** Turns the text of a variable or flag into what TOML would have given; text it cannot turn comes back as it is. */
  fromText(text: string): unknown
  /** The canonical spelling for people and for TOML. */
  write(value: T): PlainValue
  /** The value for JSON: a number in `unit` where `write` gives text with a unit. */
  plain(value: T): PlainValue
  /** What of the value enters the binding digest, when it is not the whole value. */
  bind?(value: T): PlainValue
  /** Text that may be shown: credentials taken out. Absent where the type cannot hold any. */
  mask?(text: string): string
}
