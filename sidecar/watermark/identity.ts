import type { Hash } from 'viem'
import { type IdentityDifference, IdentityMismatchError } from './errors.ts'

/** What a data directory is bound to at its first open: the same chain, start and settings give the same state. */
export type Identity = {
  readonly chainId: bigint
  readonly genesisHash: Hash
  /** The first block to apply, as `resolveStart` found it. */
  readonly start: bigint
  /** Every binding setting and version by name, as text. */
  readonly settings: Readonly<Record<string, string>>
  /** A hash over all of it, for logs and for comparing instances. */
  readonly digest: string
}

/** The text kept in the file. Keys are sorted, so equal identities give equal text. */
export function encodeIdentity(identity: Identity): string {
  const settings = Object.fromEntries(Object.entries(identity.settings).sort(([a], [b]) => (a < b ? -1 : 1)))
  const { chainId, genesisHash, start, digest } = identity
  return JSON.stringify({ chainId: `${chainId}`, genesisHash, start: `${start}`, settings, digest })
}

/** Reads what `encodeIdentity` wrote. */
export function decodeIdentity(text: string): Identity {
  const value: {
    chainId: string
    genesisHash: Hash
    start: string
    settings: Record<string, string>
    digest: string
  } = JSON.parse(text)
  return { ...value, chainId: BigInt(value.chainId), start: BigInt(value.start) }
}

/** @throws IdentityMismatchError naming every key that differs, with both values */
export function checkIdentity(directory: string, stored: Identity, given: Identity): void {
  const differences: IdentityDifference[] = []
  const compare = (key: string, a: string | undefined, b: string | undefined) => {
    if (a !== b) differences.push({ key, stored: a ?? '(absent)', given: b ?? '(absent)' })
  }
  compare('chainId', `${stored.chainId}`, `${given.chainId}`)
  compare('genesisHash', stored.genesisHash.toLowerCase(), given.genesisHash.toLowerCase())
  compare('start', `${stored.start}`, `${given.start}`)
  for (const key of new Set([...Object.keys(stored.settings), ...Object.keys(given.settings)])) {
    compare(key, stored.settings[key], given.settings[key])
  }
  // The digest says nothing a named key does not, unless it covers something that is not listed.
  if (differences.length === 0) compare('digest', stored.digest, given.digest)
  if (differences.length > 0) throw new IdentityMismatchError(directory, differences)
}
