import { DocumentError } from './documentError.ts'
import type { DocumentPart } from './types.ts'

/** Entries of an ABI at most: the largest known have a few hundred. */
const mostEntries = 2_000
/** Tuples inside tuples at most. */
const deepest = 16

type Entry = {
  readonly type?: unknown
  readonly name?: unknown
  readonly inputs?: unknown
  readonly outputs?: unknown
  readonly stateMutability?: unknown
  readonly anonymous?: unknown
}

/**
 * The functions, events and errors of an ABI, a part each, with the selectors they are called by. Takes the bare list, an object with
 * it under `abi` (Hardhat, Foundry), and one with it as text under `result` (block explorers).
 * Throws `DocumentError` `DOCUMENT_INVALID`.
 */
export async function readAbi(text: string): Promise<readonly DocumentPart[]> {
  const entries = entriesOf(parse(text))
  if (entries.length > mostEntries) throw invalid(`at most ${mostEntries} entries`, `${entries.length}`)
  // Loaded when wanted: hashing of names is needed here only.
  const { toEventSelector, toFunctionSelector } = await import('viem/utils')
  const parts: DocumentPart[] = []
  for (const [index, entry] of entries.entries()) {
    const { type, name } = entry
    if (type === 'constructor' || type === 'fallback' || type === 'receive') continue
    if (type !== 'function' && type !== 'event' && type !== 'error')
      throw invalid('entries of type function, event, error or constructor', `entry ${index} of another`)
    if (typeof name !== 'string' || !/^[\w$]{1,256}$/.test(name))
      throw invalid('a name of letters and digits', `entry ${index} with another`)
    const signature = `${name}(${typesOf(entry.inputs, index)})`
    if (type === 'event') {
      const topic = entry.anonymous === true ? '' : ` topic ${toEventSelector(signature)}`
      parts.push({ text: `event ${declaration(entry)}${topic}` })
    } else {
      const selector = toFunctionSelector(signature)
      parts.push({ text: `${type} ${declaration(entry)} selector ${selector}`, selector, name: signature })
    }
  }
  if (parts.length === 0) throw invalid('a function, an event or an error', 'none')
  return parts
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid('JSON', (error as Error).message.slice(0, 100))
  }
}

function entriesOf(json: unknown): readonly Entry[] {
  if (Array.isArray(json) && json.every((entry) => typeof entry === 'object' && entry !== null)) return json
  if (typeof json === 'object' && json !== null && 'abi' in json) return entriesOf(json.abi)
  if (typeof json === 'object' && json !== null && 'result' in json && typeof json.result === 'string')
    return entriesOf(parse(json.result))
  throw invalid('a list of entries, or an object with it under abi', typeof json)
}

type Parameter = {
  readonly type?: unknown
  readonly name?: unknown
  readonly components?: unknown
  readonly indexed?: unknown
}

/** `uint256,(address,bytes)[]`: the types alone, tuples written out, as they are hashed. */
function typesOf(parameters: unknown, entry: number, depth = 0): string {
  if (parameters === undefined) return ''
  if (!Array.isArray(parameters) || depth > deepest)
    throw invalid('parameters in a list', `entry ${entry} with others`)
  return (parameters as readonly Parameter[])
    .map((parameter) => {
      const type = parameter?.type
      if (typeof type !== 'string' || !/^[a-zA-Z][a-zA-Z0-9]*(?:\[\d*\])*$/.test(type))
        throw invalid('types such as uint256 or tuple[]', `entry ${entry} with another`)
      if (!type.startsWith('tuple')) return type
      return `(${typesOf(parameter.components, entry, depth + 1)})${type.slice('tuple'.length)}`
    })
    .join(',')
}

/** As a person would write it: `transfer(address to, uint256 amount) returns (bool) nonpayable`. */
function declaration({ name, inputs, outputs, stateMutability }: Entry): string {
  const returned = named(outputs)
  const parts = [`${name}(${named(inputs)})`]
  if (returned !== '') parts.push(`returns (${returned})`)
  if (typeof stateMutability === 'string') parts.push(stateMutability.slice(0, 20))
  return parts.join(' ')
}

function named(parameters: unknown): string {
  if (!Array.isArray(parameters)) return ''
  return (parameters as readonly Parameter[])
    .map((parameter) => {
      // Of outputs nothing was checked: only texts are shown.
      return [parameter?.type, parameter?.name]
        .filter((part) => typeof part === 'string' && part !== '')
        .join(' ')
    })
    .join(', ')
    .slice(0, 1_000)
}

function invalid(expected: string, came: string): DocumentError {
  return new DocumentError('DOCUMENT_INVALID', `document: expected an ABI with ${expected}, got ${came}`)
}
