import { decodeBase58 } from '../../svm/base58.ts'
import { computeBudgetProgram, systemProgram } from '../../svm/solanaPrograms.ts'
import type { Instruction } from './encodeTransaction.ts'

export const tokenProgram = decodeBase58('TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA')
export const associatedTokenProgram = decodeBase58('ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL')
export const memoProgram = decodeBase58('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr')
/** Bytes and rent-exempt lamports of an SPL mint and of a token account. */
const mintSize = { lamports: 1_461_600n, space: 82n }
const tokenAccountSize = { lamports: 2_039_280n, space: 165n }

/** Compute units the transaction may use, whatever it calls. */
export const limitUnits = (units: number): Instruction => ({
  program: computeBudgetProgram,
  accounts: [],
  data: Buffer.concat([Buffer.of(2), u32(units)]),
})

export const transferLamports = (from: Uint8Array, to: Uint8Array, lamports: bigint): Instruction => ({
  program: systemProgram,
  accounts: [
    { key: from, signer: true, writable: true },
    { key: to, writable: true },
  ],
  data: Buffer.concat([u32(2), u64(lamports)]),
})

/** Calls a program that takes text and no account, as the memo program does. */
export const callWithText = (program: Uint8Array, text: string): Instruction => ({
  program,
  accounts: [],
  data: Buffer.from(text),
})

/** A mint without decimals and freezing. The mint's own key signs too. */
export const createMint = (payer: Uint8Array, mint: Uint8Array, authority: Uint8Array): Instruction[] => [
  createAccount(payer, mint, mintSize),
  // InitializeMint2.
  token([{ key: mint, writable: true }], Buffer.concat([Buffer.of(20, 0), authority, Buffer.of(0)])),
]

/** A token account. Its own key signs too. */
export const createTokenAccount = (
  payer: Uint8Array,
  account: Uint8Array,
  { mint, owner }: { readonly mint: Uint8Array; readonly owner: Uint8Array },
): Instruction[] => [
  createAccount(payer, account, tokenAccountSize),
  // InitializeAccount3.
  token([{ key: account, writable: true }, { key: mint }], Buffer.concat([Buffer.of(18), owner])),
]

export const mintTokens = (mint: Uint8Array, to: Uint8Array, authority: Uint8Array, amount: bigint) =>
  token([written(mint), written(to), signing(authority)], Buffer.concat([Buffer.of(7), u64(amount)]))

export const burnTokens = (from: Uint8Array, mint: Uint8Array, owner: Uint8Array, amount: bigint) =>
  token([written(from), written(mint), signing(owner)], Buffer.concat([Buffer.of(8), u64(amount)]))

export const transferTokens = (from: Uint8Array, to: Uint8Array, owner: Uint8Array, amount: bigint) =>
  token([written(from), written(to), signing(owner)], Buffer.concat([Buffer.of(3), u64(amount)]))

/** Creates an owner's token account at its derived address; cheaper, and without effect, where it exists. */
export const openAccount = (
  payer: Uint8Array,
  { address, owner, mint }: Readonly<Record<'address' | 'owner' | 'mint', Uint8Array>>,
): Instruction => ({
  program: associatedTokenProgram,
  accounts: [
    { key: payer, signer: true, writable: true },
    { key: address, writable: true },
    { key: owner },
    { key: mint },
    { key: systemProgram },
    { key: tokenProgram },
  ],
  data: Buffer.of(1),
})

const written = (key: Uint8Array) => ({ key, writable: true })
const signing = (key: Uint8Array) => ({ key, signer: true })
const token = (accounts: Instruction['accounts'], data: Uint8Array): Instruction => ({
  program: tokenProgram,
  accounts,
  data,
})

function createAccount(
  payer: Uint8Array,
  created: Uint8Array,
  { lamports, space }: { readonly lamports: bigint; readonly space: bigint },
): Instruction {
  return {
    program: systemProgram,
    accounts: [
      { key: payer, signer: true, writable: true },
      { key: created, signer: true, writable: true },
    ],
    data: Buffer.concat([u32(0), u64(lamports), u64(space), tokenProgram]),
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}
