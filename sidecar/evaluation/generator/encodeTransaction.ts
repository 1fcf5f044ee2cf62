import type { SolanaKey } from './keys.ts'

export type AccountUse = {
  readonly key: Uint8Array
  readonly signer?: boolean
  readonly writable?: boolean
}

export type Instruction = {
  readonly program: Uint8Array
  readonly accounts: readonly AccountUse[]
  readonly data: Uint8Array
}

type Listed = { readonly key: Uint8Array; signer: boolean; writable: boolean }

/** A signed legacy transaction in wire format, for fewer than 128 keys and instructions. The first signer pays. */
export function encodeTransaction(
  signers: readonly SolanaKey[],
  blockhash: Uint8Array,
  instructions: readonly Instruction[],
): Uint8Array {
  const listed = new Map<string, Listed>()
  const list = ({ key, signer = false, writable = false }: AccountUse): void => {
    const known = listed.get(nameOf(key))
    if (known === undefined) listed.set(nameOf(key), { key, signer, writable })
    else {
      known.signer ||= signer
      known.writable ||= writable
    }
  }
  list({ key: signers[0]!.publicKey, signer: true, writable: true })
  for (const { accounts } of instructions) accounts.forEach(list)
  for (const { program } of instructions) list({ key: program })
  const group = (signer: boolean, writable: boolean) =>
    [...listed.values()].filter((each) => each.signer === signer && each.writable === writable)
  const readonlySigners = group(true, false)
  const readonlyOthers = group(false, false)
  const keys = [...group(true, true), ...readonlySigners, ...group(false, true), ...readonlyOthers]
  const indexes = new Map(keys.map(({ key }, index) => [nameOf(key), index]))
  const signing = keys.filter(({ signer }) => signer)

  const message = Buffer.concat([
    Buffer.of(signing.length, readonlySigners.length, readonlyOthers.length, keys.length),
    ...keys.map(({ key }) => key),
    blockhash,
    Buffer.of(instructions.length),
    ...instructions.flatMap(({ program, accounts, data }) => [
      Buffer.of(indexes.get(nameOf(program))!, accounts.length),
      Buffer.from(accounts.map(({ key }) => indexes.get(nameOf(key))!)),
      Buffer.of(data.length),
      data,
    ]),
  ])
  const signatures = signing.map(({ key }) =>
    signers.find(({ publicKey }) => publicKey === key)!.sign(message),
  )
  return Buffer.concat([Buffer.of(signatures.length), ...signatures, message])
}

const nameOf = (key: Uint8Array): string =>
  Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
