import { PublicKey } from '@solana/web3.js'
import type { SvmInstruction } from './encodeTransaction.ts'

const bytesOf = (base58: string): Uint8Array => new PublicKey(base58).toBytes()

/** The programs that traffic calls. All of them come with LiteSVM. */
export const programs = {
  system: bytesOf('11111111111111111111111111111111'),
  token: bytesOf('TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA'),
  associatedToken: bytesOf('ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL'),
  memo: bytesOf('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'),
  upgradeableLoader: bytesOf('BPFLoaderUpgradeab1e11111111111111111111111'),
} as const

const recentBlockhashes = bytesOf('SysvarRecentB1ockHashes11111111111111111111')

/** Size and rent-exempt lamports of an SPL mint. */
const mintAccount = { space: 82n, lamports: 1_461_600n }

export function transferLamports(from: Uint8Array, to: Uint8Array, lamports: bigint): SvmInstruction {
  return {
    programId: programs.system,
    accounts: [
      { pubkey: from, signer: true, writable: true },
      { pubkey: to, writable: true },
    ],
    data: Buffer.concat([u32(2), u64(lamports)]),
  }
}

export function createAccount(
  payer: Uint8Array,
  created: Uint8Array,
  account: { readonly lamports: bigint; readonly space: bigint; readonly owner: Uint8Array },
): SvmInstruction {
  return {
    programId: programs.system,
    accounts: [
      { pubkey: payer, signer: true, writable: true },
      { pubkey: created, signer: true, writable: true },
    ],
    data: Buffer.concat([u32(0), u64(account.lamports), u64(account.space), account.owner]),
  }
}

/** Creates and initialises an SPL mint without freeze authority. The mint's own key must sign. */
export function createMint(
  payer: Uint8Array,
  mint: Uint8Array,
  authority: Uint8Array,
  decimals: number,
): readonly SvmInstruction[] {
  return [
    createAccount(payer, mint, { ...mintAccount, owner: programs.token }),
    {
      programId: programs.token,
      accounts: [{ pubkey: mint, writable: true }],
      // InitializeMint2: no rent sysvar needed.
      data: Buffer.concat([Buffer.of(20, decimals), authority, Buffer.of(0)]),
    },
  ]
}

/** Where the associated token program keeps `owner`'s tokens of `mint`. Slow (it searches a bump): once per pair. */
export function associatedTokenAddress(owner: Uint8Array, mint: Uint8Array): Uint8Array {
  const [address] = PublicKey.findProgramAddressSync(
    [owner, programs.token, mint],
    new PublicKey(programs.associatedToken),
  )
  return address.toBytes()
}

/** Creates the token account; no error when it exists. */
export function createTokenAccount(
  payer: Uint8Array,
  account: Uint8Array,
  owner: Uint8Array,
  mint: Uint8Array,
): SvmInstruction {
  return {
    programId: programs.associatedToken,
    accounts: [
      { pubkey: payer, signer: true, writable: true },
      { pubkey: account, writable: true },
      { pubkey: owner },
      { pubkey: mint },
      { pubkey: programs.system },
      { pubkey: programs.token },
    ],
    data: Buffer.of(1),
  }
}

export function mintTokens(
  mint: Uint8Array,
  to: Uint8Array,
  authority: Uint8Array,
  amount: bigint,
): SvmInstruction {
  return {
    programId: programs.token,
    accounts: [
      { pubkey: mint, writable: true },
      { pubkey: to, writable: true },
      { pubkey: authority, signer: true },
    ],
    data: Buffer.concat([Buffer.of(7), u64(amount)]),
  }
}

export function transferTokens(
  from: Uint8Array,
  to: Uint8Array,
  owner: Uint8Array,
  amount: bigint,
): SvmInstruction {
  return {
    programId: programs.token,
    accounts: [
      { pubkey: from, writable: true },
      { pubkey: to, writable: true },
      { pubkey: owner, signer: true },
    ],
    data: Buffer.concat([Buffer.of(3), u64(amount)]),
  }
}

export function writeMemo(signer: Uint8Array, text: string): SvmInstruction {
  return {
    programId: programs.memo,
    accounts: [{ pubkey: signer, signer: true }],
    data: Buffer.from(text),
  }
}

export function advanceNonce(nonceAccount: Uint8Array, authority: Uint8Array): SvmInstruction {
  return {
    programId: programs.system,
    accounts: [
      { pubkey: nonceAccount, writable: true },
      { pubkey: recentBlockhashes },
      { pubkey: authority, signer: true },
    ],
    data: u32(4),
  }
}

/** The first step of a program deployment: a buffer account owned by the upgradeable loader. */
export function createProgramBuffer(payer: Uint8Array, buffer: Uint8Array): readonly SvmInstruction[] {
  return [
    createAccount(payer, buffer, {
      lamports: 10_000_000n,
      space: 37n + 256n,
      owner: programs.upgradeableLoader,
    }),
    {
      programId: programs.upgradeableLoader,
      accounts: [{ pubkey: buffer, writable: true }, { pubkey: payer }],
      data: u32(0),
    },
  ]
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
