import type { Random } from '../random.ts'
import { encodeEnvelope } from './encodeEnvelope.ts'
import { encodeTransaction, type SvmInstruction, type SvmMessage } from './encodeTransaction.ts'
import {
  advanceNonce,
  associatedTokenAddress,
  createAccount,
  createMint,
  createProgramBuffer,
  createTokenAccount,
  mintTokens,
  programs,
  transferLamports,
  transferTokens,
  writeMemo,
} from './instructions.ts'
import { deriveKeypair, type SvmKeypair } from './keypair.ts'

/** Every kind of envelope that traffic holds, with its share of the mix once the world is set up. */
const mix = [
  ['systemTransfer', 34],
  ['tokenTransfer', 14],
  ['memo', 8],
  ['versionedTransfer', 6],
  ['batch', 5],
  ['json', 4],
  ['base64', 4],
  ['mintTokens', 4],
  ['deposit', 4],
  ['overdraft', 3],
  ['createAccount', 1],
  ['truncated', 1],
  ['trailingBytes', 1],
  ['wrongSignature', 1],
  ['staleBlockhash', 1],
  ['duplicate', 1],
  ['unknownVersion', 1],
  ['durableNonce', 1],
  ['programDeployment', 1],
  ['unknownEncoding', 1],
  ['lookupTable', 1],
  ['empty', 1],
  ['missingPublicKey', 1],
  ['tooLarge', 1],
] as const

export type SvmTrafficKind = (typeof mix)[number][0] | 'createMint' | 'createTokenAccount'
export const svmTrafficKinds: readonly SvmTrafficKind[] = [
  ...mix.map(([kind]) => kind),
  'createMint',
  'createTokenAccount',
]

/** A call to the router. */
export type EnvelopeCall = {
  readonly kind: SvmTrafficKind
  readonly data: Uint8Array
  readonly valueWei: bigint
  /**
   * Position from the end of `recent` of the newest block hash signed on, 0 being the newest of all; undefined where
   * none was: the call means the same on every branch.
   */
  readonly youngestHash: number | undefined
}

type Call = Omit<EnvelopeCall, 'youngestHash'>

/** The block hashes (32 bytes) that may be signed on, newest last; empty before the first block. */
export type RecentHashes = readonly Uint8Array[]

/** What the next envelope depends on besides its random numbers: small, so that it can be kept per block. */
export type SvmTrafficState = {
  /** Steps of the setting-up done. */
  readonly step: number
  /** Envelopes made: goes into amounts and memos, so that no two transactions are the same by accident. */
  readonly made: number
  /** The last well-formed transaction, for `duplicate`. */
  readonly last: Uint8Array | undefined
}

export type SvmTraffic = {
  /** The next envelope. First the world is set up (deposits, a mint, token accounts), then the mix begins. */
  next(random: Random, recent: RecentHashes): EnvelopeCall
  state(): SvmTrafficState
  /** Goes back (or on) to a state taken before. */
  restore(state: SvmTrafficState): void
}

const walletCount = 8
/** 1 gwei of a deposit is 1 lamport. */
const weiPerLamport = 1_000_000_000n
/** 100 SOL: at 5 000 lamports a fee, 20 million transactions a wallet. */
const firstDeposit = 100_000_000_000n
/** A plain account exists from here on. */
const rentExempt = 890_880n
/** The largest Solana transaction, in bytes. */
const packetSize = 1232

/** SVM traffic of a small funded world: `walletCount` wallets and one SPL token, all derived from `seed`. */
export function createSvmTraffic(seed: string | number): SvmTraffic {
  const wallets = Array.from({ length: walletCount }, (_, index) => deriveKeypair(seed, index))
  const mint = deriveKeypair(seed, 'mint')
  const authority = wallets[0]!
  const tokenAccounts = wallets.map((wallet) => associatedTokenAddress(wallet.publicKey, mint.publicKey))
  let state: SvmTrafficState = { step: 0, made: 0, last: undefined }
  let youngest: number | undefined

  /** A transaction that is well formed and signed, as far as its signers go. */
  const sign = (recent: RecentHashes, random: Random, message: Omit<SvmMessage, 'blockhash'>): Buffer => {
    // Mostly the last few blocks, as wallets do; now and then an older one.
    const age = Math.min(random.chance(0.8) ? random.below(4) : random.below(64), recent.length - 1)
    youngest = Math.min(youngest ?? age, age)
    const blockhash = recent[recent.length - 1 - age]!
    return encodeTransaction({ ...message, blockhash })
  }
  const someTransfer = (random: Random): { payer: SvmKeypair; instruction: SvmInstruction } => {
    const payer = random.pick(wallets)
    const to = random.pick(wallets.filter((wallet) => wallet !== payer))
    const lamports = 1n + BigInt(state.made) * 64n + BigInt(random.below(64))
    return { payer, instruction: transferLamports(payer.publicKey, to.publicKey, lamports % 1_000_000n) }
  }
  const transfer = (random: Random, recent: RecentHashes, version?: number): Buffer => {
    const { payer, instruction } = someTransfer(random)
    return sign(recent, random, {
      signers: [payer],
      instructions: [instruction],
      ...(version === undefined ? {} : { version }),
    })
  }
  const deposit = (to: SvmKeypair, lamports: bigint, extraWei = 0n): Call => ({
    kind: 'deposit',
    data: encodeEnvelope({ depositTo: to.publicKey }),
    valueWei: lamports * weiPerLamport + extraWei,
  })
  const single = (kind: SvmTrafficKind, transaction: Uint8Array, valueWei = 0n): Call => ({
    kind,
    data: encodeEnvelope({ transaction }),
    valueWei,
  })

  const setUp = (step: number, random: Random, recent: RecentHashes): Call => {
    if (step < walletCount) return deposit(wallets[step]!, firstDeposit)
    if (step === walletCount) {
      const instructions = createMint(authority.publicKey, mint.publicKey, authority.publicKey, 6)
      return single('createMint', sign(recent, random, { signers: [authority, mint], instructions }))
    }
    const index = step - walletCount - 1
    const account = tokenAccounts[index]!
    const instructions = [
      createTokenAccount(authority.publicKey, account, wallets[index]!.publicKey, mint.publicKey),
      mintTokens(mint.publicKey, account, authority.publicKey, 1_000_000_000_000n),
    ]
    return single('createTokenAccount', sign(recent, random, { signers: [authority], instructions }))
  }

  const makers: Record<(typeof mix)[number][0], (random: Random, recent: RecentHashes) => Call> = {
    systemTransfer: (random, recent) =>
      // One in 32 carries value that nothing takes.
      single('systemTransfer', transfer(random, recent), random.below(32) === 0 ? 5_000_000_007n : 0n),
    tokenTransfer: (random, recent) => {
      const from = random.below(walletCount)
      const to = (from + 1 + random.below(walletCount - 1)) % walletCount
      const owner = wallets[from]!
      const amount = 1n + BigInt(state.made % 65_536)
      const instruction = transferTokens(tokenAccounts[from]!, tokenAccounts[to]!, owner.publicKey, amount)
      return single('tokenTransfer', sign(recent, random, { signers: [owner], instructions: [instruction] }))
    },
    memo: (random, recent) => {
      const signer = random.pick(wallets)
      const instruction = writeMemo(
        signer.publicKey,
        `order ${state.made} from ${random.uint32().toString(16)}`,
      )
      return single('memo', sign(recent, random, { signers: [signer], instructions: [instruction] }))
    },
    versionedTransfer: (random, recent) => single('versionedTransfer', transfer(random, recent, 0)),
    batch: (random, recent) => {
      const count = 2 + random.below(4)
      const batch = Array.from({ length: count }, (_, index) => {
        const { payer, instruction } = someTransfer(random)
        const memo = writeMemo(payer.publicKey, `item ${index} of ${state.made}`)
        const transaction = sign(recent, random, { signers: [payer], instructions: [instruction, memo] })
        // One item gone bad leaves the others alone.
        return random.below(8) === 0 ? withFlippedSignature(transaction) : transaction
      })
      return { kind: 'batch', data: encodeEnvelope({ batch }), valueWei: 0n }
    },
    json: (random, recent) => ({
      kind: 'json',
      data: encodeEnvelope({ json: transfer(random, recent) }),
      valueWei: 0n,
    }),
    base64: (random, recent) => ({
      kind: 'base64',
      data: encodeEnvelope({ base64: transfer(random, recent) }),
      valueWei: 0n,
    }),
    mintTokens: (random, recent) => {
      const amount = 1n + BigInt(state.made)
      const instruction = mintTokens(mint.publicKey, random.pick(tokenAccounts), authority.publicKey, amount)
      return single('mintTokens', sign(recent, random, { signers: [authority], instructions: [instruction] }))
    },
    // Some deposits are no whole number of gwei: the rest is unspent.
    deposit: (random) =>
      deposit(
        random.pick(wallets),
        1_000_000n + BigInt(random.below(9_000_000)),
        BigInt(random.below(2) * 7),
      ),
    overdraft: (random, recent) => {
      const payer = random.pick(wallets)
      // More than all wallets ever hold together.
      const lamports = 1_000_000_000_000_000n + BigInt(state.made)
      const instruction = transferLamports(payer.publicKey, authority.publicKey, lamports)
      return single('overdraft', sign(recent, random, { signers: [payer], instructions: [instruction] }))
    },
    createAccount: (random, recent) => {
      const payer = random.pick(wallets)
      const created = deriveKeypair(seed, `created ${state.made} ${random.uint32()}`)
      const account = { lamports: rentExempt, space: 0n, owner: programs.system }
      const instruction = createAccount(payer.publicKey, created.publicKey, account)
      return single(
        'createAccount',
        sign(recent, random, { signers: [payer, created], instructions: [instruction] }),
      )
    },
    truncated: (random, recent) => {
      const transaction = transfer(random, recent)
      // At least the count stays, so that the payload still says it is a transaction.
      return single('truncated', transaction.subarray(0, 1 + random.below(transaction.length - 1)))
    },
    trailingBytes: (random, recent) =>
      single('trailingBytes', Buffer.concat([transfer(random, recent), random.bytes(1 + random.below(8))])),
    wrongSignature: (random, recent) =>
      single('wrongSignature', withFlippedSignature(transfer(random, recent))),
    staleBlockhash: (random) => {
      const { payer, instruction } = someTransfer(random)
      const message = { signers: [payer], instructions: [instruction], blockhash: random.bytes(32) }
      return single('staleBlockhash', encodeTransaction(message))
    },
    duplicate: (random, recent) => {
      // What the last one was signed on is not kept: the newest, to be sure.
      youngest = 0
      return single('duplicate', state.last ?? transfer(random, recent))
    },
    unknownVersion: (random, recent) =>
      single('unknownVersion', transfer(random, recent, 1 + random.below(126))),
    durableNonce: (random) => {
      const payer = random.pick(wallets)
      const nonceAccount = deriveKeypair(seed, 'nonce').publicKey
      const instructions = [
        advanceNonce(nonceAccount, payer.publicKey),
        someTransferFrom(payer, authority, state.made),
      ]
      return single(
        'durableNonce',
        encodeTransaction({ signers: [payer], instructions, blockhash: random.bytes(32) }),
      )
    },
    programDeployment: (random, recent) => {
      const payer = random.pick(wallets)
      const buffer = deriveKeypair(seed, `buffer ${state.made} ${random.uint32()}`)
      const instructions = createProgramBuffer(payer.publicKey, buffer.publicKey)
      return single('programDeployment', sign(recent, random, { signers: [payer, buffer], instructions }))
    },
    unknownEncoding: (random) => ({
      kind: 'unknownEncoding',
      data: encodeEnvelope({ payload: Buffer.concat([Buffer.of(0xff), random.bytes(random.below(200))]) }),
      valueWei: 0n,
    }),
    lookupTable: (random, recent) => {
      const { payer, instruction } = someTransfer(random)
      const lookups = [{ table: deriveKeypair(seed, 'table').publicKey, writable: [0] }]
      const message = { signers: [payer], instructions: [instruction], version: 0, lookups }
      return single('lookupTable', sign(recent, random, message))
    },
    empty: () => ({ kind: 'empty', data: encodeEnvelope({ payload: Buffer.alloc(0) }), valueWei: 0n }),
    missingPublicKey: (random) => ({
      kind: 'missingPublicKey',
      data: encodeEnvelope({ depositTo: random.bytes(random.below(32)) }),
      valueWei: 1_000_000_000n,
    }),
    tooLarge: (random, recent) => {
      const signer = random.pick(wallets)
      const instruction = writeMemo(signer.publicKey, 'x'.repeat(packetSize + random.below(100)))
      return single('tooLarge', sign(recent, random, { signers: [signer], instructions: [instruction] }))
    },
  }

  const repeatable: ReadonlySet<SvmTrafficKind> = new Set(['systemTransfer', 'tokenTransfer', 'memo'])
  return {
    next: (random, recent) => {
      const settingUp = state.step < 2 * walletCount + 1
      // Before the first block there is no hash to sign on: only deposits need none.
      youngest = undefined
      const needsHash = recent.length === 0 && (!settingUp || state.step >= walletCount)
      let call: Call
      if (needsHash) call = makers.deposit(random, recent)
      else if (settingUp) call = setUp(state.step, random, recent)
      else call = makers[random.weighted(mix)](random, recent)
      state = {
        step: settingUp && !needsHash ? state.step + 1 : state.step,
        made: state.made + 1,
        last: repeatable.has(call.kind) ? call.data.subarray(3) : state.last,
      }
      return { ...call, youngestHash: youngest }
    },
    state: () => state,
    restore: (to) => {
      state = to
    },
  }
}

function someTransferFrom(payer: SvmKeypair, to: SvmKeypair, made: number): SvmInstruction {
  return transferLamports(payer.publicKey, to.publicKey, 1n + BigInt(made % 1000))
}

/** One bit of the first signature turned. */
function withFlippedSignature(transaction: Uint8Array): Buffer {
  const copy = Buffer.from(transaction)
  copy[1 + 20]! ^= 1
  return copy
}
