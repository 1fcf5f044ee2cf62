import { isPublicKey, splitList } from './publicKeys.ts'
import { isPrintable } from './text.ts'
import type { PlainValue, ValueType } from './valueType.ts'

/** A Solana program to load at start: its id in base58, and the ELF file it is read from. */
export type ProgramFile = { readonly id: string; readonly file: string }

/**
 * Programs to load: in TOML an array of tables `{ id, file }`, as text `ID=FILE,ID=FILE`. Resolved sorted by id. Only
 * the ids bind here: a file may move, and what it holds is for the executor to add, which reads it.
 */
export function programs(): ValueType<readonly ProgramFile[]> {
  const expected = 'a list of programs { id = "BASE58", file = "PATH" }, or as text ID=FILE,ID=FILE'
  return {
    name: 'list of programs',
    expected,
    unit: undefined,
    parse(raw) {
      if (!Array.isArray(raw)) return { expected }
      const byId = new Map<string, ProgramFile>()
      for (const [index, each] of raw.entries()) {
        const program = readProgram(each)
        if ('problem' in program) return { expected: `${expected}; entry ${index + 1} ${program.problem}` }
        if (byId.has(program.id)) return { expected: `${expected}; ${program.id} is listed twice` }
        byId.set(program.id, program)
      }
      return { value: [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) }
    },
    fromText: (text) =>
      splitList(text).map((entry) => {
        const at = entry.indexOf('=')
        return at < 0 ? entry : { id: entry.slice(0, at), file: entry.slice(at + 1) }
      }),
    write: writePrograms,
    plain: writePrograms,
    bind: (value) => value.map(({ id }) => id),
  }
}

function readProgram(raw: unknown): ProgramFile | { problem: string } {
  if (typeof raw !== 'object' || raw === null) return { problem: 'is not a table' }
  const { id, file, ...rest } = raw as Readonly<Record<string, unknown>>
  if (!isPublicKey(id)) return { problem: 'has no id of 32 bytes in base58' }
  if (typeof file !== 'string' || !isPrintable(file)) return { problem: 'has no file' }
  const unknown = Object.keys(rest)
  return unknown.length === 0 ? { id, file } : { problem: `has unknown keys: ${unknown.join(', ')}` }
}

function writePrograms(value: readonly ProgramFile[]): PlainValue {
  return value.map(({ id, file }) => ({ id, file }))
}
