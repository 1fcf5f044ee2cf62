import fc from 'fast-check'
import { checkConfig } from '#config'
import { type OptionEntry, optionEntries } from '../../../config/schema.ts'

/** Solana programs that exist, so that their base58 text is right by origin. */
export const publicKeys = [
  '11111111111111111111111111111111',
  'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA',
  'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr',
  'Vote111111111111111111111111111111111111111',
  'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL',
]

/** Text that a path or a file name may be: any printable text, quotes and backslashes included. */
const pathText = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .map((text) => text.replace(/[\p{Cc}\p{Cs}]/gu, '_').trim() || '_')

const base58 = fc.subarray(publicKeys)

/** Good typed values of an option, as TOML would give them. */
export function arbitraryValue({ key, option }: OptionEntry): fc.Arbitrary<unknown> {
  const { type } = option
  if (key === 'chain.start') return fc.oneof(fc.constantFrom('genesis', 'head'), fc.maxSafeNat())
  if (type.name.startsWith('"'))
    return fc.constantFrom(...[...type.name.matchAll(/"(\w+)"/g)].map(([, word]) => word))
  if (type.name.startsWith('url')) {
    const schemes = /\((.*)\)/.exec(type.name)![1]!.split(', ')
    return fc
      .tuple(fc.constantFrom(...schemes), fc.domain(), fc.integer({ min: 1, max: 65_535 }))
      .map(([scheme, host, port]) => `${scheme}://${host}:${port}`)
  }
  switch (type.name) {
    case 'integer':
    case 'duration':
    case 'size':
      return fc.integer(boundsOf(type))
    case 'number':
      return fc.double({ ...boundsOf(type), noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'name':
      return fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/)
    case 'model name':
      return fc.stringMatching(/^[!-~]{1,200}$/)
    case 'path':
      return pathText
    case 'address':
      return fc.stringMatching(/^0x[0-9a-fA-F]{40}$/)
    case 'host:port':
      return fc
        .tuple(
          fc.oneof(
            fc.ipV4(),
            fc.ipV6().map((ip) => `[${ip}]`),
            fc.domain(),
          ),
          fc.integer({ min: 0, max: 65_535 }),
        )
        .map(([host, port]) => `${host}:${port}`)
    case 'list of public keys':
      return base58
    case 'list of programs':
      return fc
        .tuple(base58, fc.array(pathText, { minLength: publicKeys.length, maxLength: publicKeys.length }))
        .map(([ids, files]) => ids.map((id, index) => ({ id, file: files[index] })))
    default:
      throw new Error(`no arbitrary for values of type ${type.name} (${key})`)
  }
}

/** TOML-like content that sets a random part of the options, all relations holding. */
export const arbitraryContent: fc.Arbitrary<ReadonlyMap<OptionEntry, unknown>> = fc
  .tuple(...optionEntries.map((entry) => fc.option(arbitraryValue(entry), { freq: 2, nil: undefined })))
  .map((values) => {
    const content = new Map(optionEntries.map((entry, index) => [entry, values[index]] as const))
    for (const [entry, value] of content) if (value === undefined) content.delete(entry)
    return withoutConflicts(content)
  })

/** Sets values as `--set` does, but typed: each as the only entry of its kind in a TOML file. */
export function tomlOf(content: ReadonlyMap<OptionEntry, unknown>): string {
  const sections = Map.groupBy(content, ([entry]) => entry.key.split('.')[0]!)
  return [...sections]
    .map(([section, entries]) =>
      [
        `[${section}]`,
        ...entries.map(([entry, value]) => `${entry.key.split('.')[1]} = ${literal(value)}`),
      ].join('\n'),
    )
    .join('\n')
}

function withoutConflicts(content: Map<OptionEntry, unknown>): ReadonlyMap<OptionEntry, unknown> {
  for (;;) {
    const problems = checkConfig({ env: {}, file: { path: 'x', text: tomlOf(content) } })
    if (problems.length === 0) return content
    const unexpected = problems.filter(({ code }) => code !== 'conflict')
    if (unexpected.length > 0) throw new Error(`a generated value is refused: ${JSON.stringify(unexpected)}`)
    for (const { got } of problems) {
      for (const entry of [...content.keys()]) if (got.includes(`${entry.key} `)) content.delete(entry)
    }
  }
}

/** TOML written without the code under test; `\u` escapes wherever a character could have a meaning. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, each]) => `${key} = ${literal(each)}`)
      .join(', ')} }`
  }
  if (typeof value !== 'string') return String(value)
  const escaped = value.replace(/["\\]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
  return `"${escaped}"`
}

function boundsOf(type: OptionEntry['option']['type']): { min: number; max: number } {
  const [, min, max] = /^from (\S+) to (\S+)$/.exec(type.range ?? '') ?? []
  return { min: numberFrom(type, min), max: numberFrom(type, max) }
}

function numberFrom(type: OptionEntry['option']['type'], text: string | undefined): number {
  const parsed = type.parse(type.fromText(text ?? ''))
  if (!('value' in parsed) || typeof parsed.value !== 'number') throw new Error(`${type.name} has no bounds`)
  return parsed.value
}
