import { readEnvelope } from './readEnvelope.ts'
import type { CountedEdgeKind, EntityKind } from './types.ts'

/** What of a stored transaction makes edges. */
export type LinkSource = {
  readonly blockNumber: bigint
  readonly transactionIndex: number
  readonly transactionHash: string
  readonly from: string
  /** Empty for a contract creation. */
  readonly to: string
  readonly selector: string
  /** wei. */
  readonly value: bigint
  readonly calldataBytes: number
  readonly calldataHead: string
  readonly svm: boolean
  readonly outcome: string
}

/** One edge of one transaction. The first of a transaction is what it did; those after it follow from its calldata. */
export type Link = {
  readonly kind: CountedEdgeKind
  readonly source: string
  readonly target: string
  readonly token: string
  /** What the target is called as; undefined where it only receives. */
  readonly targetKind: Exclude<EntityKind, 'pattern' | 'account'> | undefined
}

/** Calls that only tokens take, with the words of their arguments that say who gives and who gets. */
const tokenCalls: Readonly<Record<string, { readonly giver?: number; readonly getter?: number }>> = {
  // transfer(address,uint256), transferFrom(address,address,uint256), approve(address,uint256)
  '0xa9059cbb': { getter: 0 },
  '0x23b872dd': { giver: 0, getter: 1 },
  '0x095ea7b3': {},
  // safeTransferFrom of ERC-721, with and without data, and of ERC-1155
  '0x42842e0e': { giver: 0, getter: 1 },
  '0xb88d4fde': { giver: 0, getter: 1 },
  '0xf242432a': { giver: 0, getter: 1 },
  // mint(address,uint256)
  '0x40c10f19': { getter: 0 },
}

const NOBODY = `0x${'0'.repeat(40)}`

/** True when the transaction did not do what it asked for. */
export function hasFailed(outcome: string): boolean {
  return outcome === 'failed' || outcome === 'rejected'
}

/**
 * The edges of one transaction, what it did first. What a failed one would have moved is no edge. Addresses inside calldata are what
 * the sender wrote there: that a token moved is as true as the token is honest.
 */
export function readLinks(row: LinkSource): readonly Link[] {
  const failed = hasFailed(row.outcome)
  const plain = { source: row.from, token: '' }
  if (row.to === '') {
    return [{ ...plain, kind: 'deploys', target: row.transactionHash, targetKind: 'contract' }]
  }
  if (row.svm) {
    const envelope = readEnvelope(row.calldataHead)
    if (envelope?.kind === 'deposit')
      return [{ ...plain, kind: 'transfers', target: envelope.account, targetKind: undefined }]
    if (envelope) {
      return envelope.programs.map((target) => ({ ...plain, kind: 'calls', target, targetKind: 'program' }))
    }
    return [{ ...plain, kind: 'calls', target: row.to, targetKind: 'contract' }]
  }
  if (row.calldataBytes < 4) return [{ ...plain, kind: 'transfers', target: row.to, targetKind: undefined }]
  const call = tokenCalls[row.selector]
  const links: Link[] = [{ ...plain, kind: 'calls', target: row.to, targetKind: call ? 'token' : 'contract' }]
  if (!call || failed || call.getter === undefined) return links
  const getter = addressWord(row.calldataHead, call.getter)
  const giver = call.giver === undefined ? row.from : addressWord(row.calldataHead, call.giver)
  // Out of nothing is a mint, into nothing a burn: neither is a transfer between two.
  if (getter === undefined || giver === undefined || getter === NOBODY) return links
  if (giver !== NOBODY && row.selector !== '0x40c10f19') {
    links.push({ kind: 'transfers', source: giver, target: getter, token: row.to, targetKind: undefined })
  }
  links.push({ kind: 'owns', source: getter, target: row.to, token: '', targetKind: undefined })
  return links
}

/** The n-th argument of a call, when it is an address; undefined when it is cut off or has other digits before it. */
function addressWord(head: string, index: number): string | undefined {
  const start = 8 + 64 * index
  if (head.length < start + 64) return undefined
  for (let at = start; at < start + 24; at += 1) if (head.charCodeAt(at) !== 0x30) return undefined
  return `0x${head.slice(start + 24, start + 64)}`
}
