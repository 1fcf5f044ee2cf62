import { knownSignature } from '../query/knownCalls.ts'
import { singular } from '../text/searchWords.ts'

/** What documents call things. Text of others: to be escaped and marked wherever it is shown. */
export type DocumentNames = {
  /** The signature of a call: as the contract's own ABI has it, else any ABI, else as widely known. */
  callName(contract: string, selector: string): string | undefined
  /** The title of what is kept about an address. */
  entityName(id: string): string | undefined
  /** Selectors of calls whose name, without its arguments, is the word; in any case. */
  selectorsOf(word: string): readonly string[]
  /** Addresses with documents whose titles have all of the words; for a single word, where it is a name. */
  contractsOf(words: readonly string[]): readonly string[]
  /** True when a name comes from a document, and not from us. */
  isGiven(contract: string, selector: string): boolean
}

export type NamedPart = {
  readonly documentId: string
  readonly part: number
  readonly title: string
  readonly contract: string
  readonly selector: string
  readonly name: string
}

/** Addresses that words may stand for at most: more say nothing. */
const mostContracts = 16

/** @param parts of every document the first, and those that name a call; the order does not matter */
export function createDocumentNames(parts: readonly NamedPart[]): DocumentNames {
  const byContract = new Map<string, string>()
  const bySelector = new Map<string, string>()
  const byWord = new Map<string, Set<string>>()
  const titles = new Map<string, string>()
  const contractsByWord = new Map<string, Set<string>>()
  const contractsByName = new Map<string, Set<string>>()
  // Two documents may name one thing: the lower id wins, wherever and whenever they were added.
  const sorted = parts.toSorted((a, b) =>
    a.documentId === b.documentId ? a.part - b.part : a.documentId < b.documentId ? -1 : 1,
  )
  for (const { contract, selector, name, title } of sorted) {
    if (contract !== '') {
      keep(titles, contract, title)
      const words = title.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '')
      for (const [place, word] of words.entries()) {
        const key = singular(word.toLowerCase())
        addTo(contractsByWord, key, contract)
        // The first word of a title, or one in capitals, is a name of its own; others only among more.
        if (place === 0 || /^[\p{Lu}\p{N}]{3,}$/u.test(word)) addTo(contractsByName, key, contract)
      }
    }
    if (selector === '') continue
    if (contract !== '') keep(byContract, `${contract} ${selector}`, name)
    keep(bySelector, selector, name)
    addTo(byWord, name.replace(/\(.*$/, '').toLowerCase(), selector)
  }

  return {
    callName: (contract, selector) =>
      byContract.get(`${contract} ${selector}`) ?? bySelector.get(selector) ?? knownSignature(selector),
    entityName: (id) => titles.get(id),
    selectorsOf: (word) => [
      ...(byWord.get(word.toLowerCase()) ?? byWord.get(singular(word.toLowerCase())) ?? []),
    ],
    contractsOf(words) {
      const [first, ...others] = words.map((word) => word.toLowerCase()).map(singular)
      if (first === undefined) return []
      const index = others.length === 0 ? contractsByName : contractsByWord
      const found = [...(index.get(first) ?? [])].filter((contract) =>
        others.every((word) => contractsByWord.get(word)?.has(contract)),
      )
      return found.length <= mostContracts ? found.sort() : []
    },
    isGiven: (contract, selector) => byContract.has(`${contract} ${selector}`) || bySelector.has(selector),
  }
}

/** What is known without any document. */
export const noNames = createDocumentNames([])

function keep(map: Map<string, string>, key: string, value: string): void {
  if (!map.has(key)) map.set(key, value)
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key)
  if (set) set.add(value)
  else map.set(key, new Set([value]))
}
