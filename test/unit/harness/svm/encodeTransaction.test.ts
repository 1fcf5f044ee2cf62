import {
  createAssociatedTokenAccountIdempotentInstruction,
  createInitializeMint2Instruction,
  createMintToInstruction,
  createTransferInstruction,
  getAssociatedTokenAddressSync,
} from '@solana/spl-token'
import {
  Keypair,
  NONCE_ACCOUNT_LENGTH,
  PublicKey,
  SystemInstruction,
  SystemProgram,
  Transaction,
  TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js'
import { describe, expect, test } from 'vitest'
import { encodeTransaction, type SvmInstruction } from '../../../../harness/svm/encodeTransaction.ts'
import {
  advanceNonce,
  associatedTokenAddress,
  createAccount,
  createMint,
  createTokenAccount,
  mintTokens,
  programs,
  transferLamports,
  transferTokens,
  writeMemo,
} from '../../../../harness/svm/instructions.ts'
import { deriveKeypair } from '../../../../harness/svm/keypair.ts'

const payer = deriveKeypair('test', 0)
const other = deriveKeypair('test', 1)
const mint = deriveKeypair('test', 'mint')
const key = (bytes: Uint8Array) => new PublicKey(bytes)
const blockhash = new Uint8Array(32).fill(7)

/** Theirs in our shape, so that both sides of a comparison are plain data. */
const plain = (instruction: TransactionInstruction): unknown => ({
  programId: instruction.programId.toBase58(),
  accounts: instruction.keys.map(({ pubkey, isSigner, isWritable }) => [
    pubkey.toBase58(),
    isSigner,
    isWritable,
  ]),
  data: Buffer.from(instruction.data).toString('hex'),
})
const theirs = (instruction: SvmInstruction): TransactionInstruction =>
  new TransactionInstruction({
    programId: key(instruction.programId),
    keys: instruction.accounts.map(({ pubkey, signer, writable }) => ({
      pubkey: key(pubkey),
      isSigner: signer ?? false,
      isWritable: writable ?? false,
    })),
    data: Buffer.from(instruction.data),
  })

describe('deriveKeypair', () => {
  test('is the key pair that web3.js makes of the same secret', () => {
    expect(Keypair.fromSecretKey(Uint8Array.from(payer.secretKey)).publicKey.toBytes()).toEqual(
      Uint8Array.from(payer.publicKey),
    )
    expect(deriveKeypair('test', 0).publicKey).toEqual(payer.publicKey)
    expect(other.publicKey).not.toEqual(payer.publicKey)
  })
})

describe('encodeTransaction', () => {
  const instructions = [
    transferLamports(payer.publicKey, other.publicKey, 5n),
    createAccount(payer.publicKey, mint.publicKey, { lamports: 9n, space: 3n, owner: programs.token }),
    writeMemo(other.publicKey, 'x'.repeat(200)),
  ]
  const signers = [payer, mint, other]
  const message = new TransactionMessage({
    payerKey: key(payer.publicKey),
    recentBlockhash: key(blockhash).toBase58(),
    instructions: instructions.map(theirs),
  })

  test('gives the bytes that web3.js gives, legacy', () => {
    const transaction = new VersionedTransaction(message.compileToLegacyMessage())
    transaction.sign(signers.map(({ secretKey }) => Keypair.fromSecretKey(Uint8Array.from(secretKey))))
    // Other signers than in message order sign by key there, by position here.
    const ordered = transaction.message.staticAccountKeys
      .slice(0, 3)
      .map((one) => signers.find(({ publicKey }) => one.equals(key(publicKey)))!)
    expect(encodeTransaction({ instructions, blockhash, signers: ordered })).toEqual(
      Buffer.from(transaction.serialize()),
    )
    expect(Transaction.from(transaction.serialize()).verifySignatures()).toBe(true)
  })

  test('gives the bytes that web3.js gives, version 0', () => {
    const transaction = new VersionedTransaction(message.compileToV0Message())
    transaction.sign(signers.map(({ secretKey }) => Keypair.fromSecretKey(Uint8Array.from(secretKey))))
    const ordered = transaction.message.staticAccountKeys
      .slice(0, 3)
      .map((one) => signers.find(({ publicKey }) => one.equals(key(publicKey)))!)
    expect(encodeTransaction({ instructions, blockhash, signers: ordered, version: 0 })).toEqual(
      Buffer.from(transaction.serialize()),
    )
  })
})

describe('instructions', () => {
  const [from, to] = [payer, other].map((owner) =>
    associatedTokenAddress(owner.publicKey, mint.publicKey),
  ) as [Uint8Array, Uint8Array]

  test('are those of web3.js', () => {
    const transfer = SystemProgram.transfer({
      fromPubkey: key(payer.publicKey),
      toPubkey: key(other.publicKey),
      lamports: 123_456_789_012n,
    })
    expect(plain(theirs(transferLamports(payer.publicKey, other.publicKey, 123_456_789_012n)))).toEqual(
      plain(transfer),
    )
    const created = SystemProgram.createAccount({
      fromPubkey: key(payer.publicKey),
      newAccountPubkey: key(mint.publicKey),
      lamports: 7,
      space: NONCE_ACCOUNT_LENGTH,
      programId: key(programs.token),
    })
    const account = { lamports: 7n, space: BigInt(NONCE_ACCOUNT_LENGTH), owner: programs.token }
    expect(plain(theirs(createAccount(payer.publicKey, mint.publicKey, account)))).toEqual(plain(created))
    const nonce = theirs(advanceNonce(other.publicKey, payer.publicKey))
    expect(SystemInstruction.decodeNonceAdvance(nonce).authorizedPubkey.equals(key(payer.publicKey))).toBe(
      true,
    )
  })

  test('are those of spl-token', () => {
    expect(key(from).equals(getAssociatedTokenAddressSync(key(mint.publicKey), key(payer.publicKey)))).toBe(
      true,
    )
    const initialise = createInitializeMint2Instruction(key(mint.publicKey), 6, key(payer.publicKey), null)
    const ours = createMint(payer.publicKey, mint.publicKey, payer.publicKey, 6)[1]!
    expect(plain(theirs(ours))).toEqual(plain(initialise))
    const account = createAssociatedTokenAccountIdempotentInstruction(
      key(payer.publicKey),
      key(to),
      key(other.publicKey),
      key(mint.publicKey),
    )
    expect(plain(theirs(createTokenAccount(payer.publicKey, to, other.publicKey, mint.publicKey)))).toEqual(
      plain(account),
    )
    const mintTo = createMintToInstruction(key(mint.publicKey), key(to), key(payer.publicKey), 77n)
    expect(plain(theirs(mintTokens(mint.publicKey, to, payer.publicKey, 77n)))).toEqual(plain(mintTo))
    const transfer = createTransferInstruction(key(from), key(to), key(payer.publicKey), 78n)
    expect(plain(theirs(transferTokens(from, to, payer.publicKey, 78n)))).toEqual(plain(transfer))
  })
})
