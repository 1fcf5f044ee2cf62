import { compactU16 } from './compactU16.ts'
import type { SvmKeypair } from './keypair.ts'

export type SvmAccountMeta = {
  readonly pubkey: Uint8Array
  readonly signer?: boolean
  readonly writable?: boolean
}

export type SvmInstruction = {
  readonly programId: Uint8Array
  readonly accounts: readonly SvmAccountMeta[]
  readonly data: Uint8Array
}

export type SvmMessage = {
  readonly instructions: readonly SvmInstruction[]
  /** 32 bytes: on this chain the hash of a recent Ethereum block. */
  readonly blockhash: Uint8Array
  /** The first one pays. */
  readonly signers: readonly SvmKeypair[]
  /** Default `legacy`. A number other than 0 is a version that does not exist. */
  readonly version?: 'legacy' | number
  /** Address lookup tables, for versioned messages: listed, though no key is taken out of `instructions` for them. */
  readonly lookups?: readonly { readonly table: Uint8Array; readonly writable: readonly number[] }[]
}

/** A signed transaction in wire format. */
export function encodeTransaction(message: SvmMessage): Buffer {
  const encoded = encodeMessage(message)
  const signatures = message.signers.map((signer) => signer.sign(encoded))
  return Buffer.concat([compactU16(signatures.length), ...signatures, encoded])
}

type Key = { readonly pubkey: Uint8Array; signer: boolean; writable: boolean }

/** Keys in the order of their first mention within writable signers, signers, writable, read-only: as web3.js does. */
function encodeMessage(message: SvmMessage): Buffer {
  const keys = new Map<string, Key>()
  const add = (pubkey: Uint8Array, signer: boolean, writable: boolean) => {
    const name = nameOf(pubkey)
    const known = keys.get(name)
    if (known === undefined) keys.set(name, { pubkey, signer, writable })
    else {
      known.signer ||= signer
      known.writable ||= writable
    }
  }
  add(message.signers[0]!.publicKey, true, true)
  for (const instruction of message.instructions) {
    add(instruction.programId, false, false)
    for (const meta of instruction.accounts) add(meta.pubkey, meta.signer ?? false, meta.writable ?? false)
  }
  const all = [...keys.values()]
  const group = (signer: boolean, writable: boolean) =>
    all.filter((key) => key.signer === signer && key.writable === writable)
  const readonlySigners = group(true, false)
  const readonlyOthers = group(false, false)
  const ordered = [...group(true, true), ...readonlySigners, ...group(false, true), ...readonlyOthers]
  const indexes = new Map(ordered.map((key, index) => [nameOf(key.pubkey), index]))
  const signerCount = ordered.filter((key) => key.signer).length

  const version = message.version ?? 'legacy'
  const parts: Uint8Array[] = version === 'legacy' ? [] : [Buffer.of(0x80 | version)]
  parts.push(
    Buffer.of(signerCount, readonlySigners.length, readonlyOthers.length),
    compactU16(ordered.length),
  )
  for (const key of ordered) parts.push(key.pubkey)
  parts.push(message.blockhash, compactU16(message.instructions.length))
  for (const { programId, accounts, data } of message.instructions) {
    parts.push(Buffer.of(indexes.get(nameOf(programId))!), compactU16(accounts.length))
    parts.push(
      Buffer.from(accounts.map((meta) => indexes.get(nameOf(meta.pubkey))!)),
      compactU16(data.length),
      data,
    )
  }
  if (version !== 'legacy') {
    const lookups = message.lookups ?? []
    parts.push(compactU16(lookups.length))
    for (const { table, writable } of lookups) {
      parts.push(table, compactU16(writable.length), Buffer.from(writable), compactU16(0))
    }
  }
  return Buffer.concat(parts)
}

function nameOf(pubkey: Uint8Array): string {
  return Buffer.from(pubkey.buffer, pubkey.byteOffset, 32).toString('latin1')
}
