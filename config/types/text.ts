import type { ValueType } from './valueType.ts'

/** A name that is safe in a file name, a metric label and a header: letters, digits, `.`, `_`, `-`, at most 64. */
export function identifier(): ValueType<string> {
  return textLike('name', 'a name of 1 to 64 letters, digits, ".", "_" or "-"', (text) =>
    /^[A-Za-z0-9._-]{1,64}$/.test(text),
  )
}

/** A model as an endpoint names it: `llama3.2:3b`, `org/model@version`. */
export function modelName(): ValueType<string> {
  return textLike(
    'model name',
    'a model name of 1 to 200 characters, without spaces',
    (text) => text.length <= 200 && /^[!-~]+$/.test(text),
  )
}

/** A file or folder; a relative one is taken from the working directory, wherever the value came from. */
export function path(): ValueType<string> {
  return textLike('path', 'a path, not empty, without control characters', isPrintable)
}

/** True for text that survives every file format: not empty, no control characters, no half surrogate pairs. */
export function isPrintable(text: string): boolean {
  return text.trim() !== '' && text.isWellFormed() && !/\p{Cc}/u.test(text)
}

function textLike(name: string, expected: string, isGood: (text: string) => boolean): ValueType<string> {
  return {
    name,
    expected,
    unit: undefined,
    parse: (raw) => (typeof raw === 'string' && isGood(raw) ? { value: raw } : { expected }),
    fromText: (text) => text,
    write: (value) => value,
    plain: (value) => value,
  }
}
