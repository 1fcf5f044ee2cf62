/**
 * What could abort the process, tried in one of its own: `node hostileChild.ts <scenario> [seed]`. Prints one JSON line
 * at the end; without it the process died.
 */
import {
  ComputeBudgetProgram,
  type Keypair,
  PublicKey,
  SYSVAR_CLOCK_PUBKEY,
  SYSVAR_INSTRUCTIONS_PUBKEY,
  SYSVAR_RENT_PUBKEY,
  SystemProgram,
  TransactionInstruction,
} from '@solana/web3.js'
import fc from 'fast-check'
import { Account, FailedTransactionMetadata, LiteSvm } from 'litesvm/dist/internal.js'
import pino from 'pino'
import { encodeAccount } from '../../../sidecar/svm/accountValue.ts'
import { createLatticeHash } from '../../../sidecar/svm/latticeHash.ts'
import { createLiteSvmExecutor } from '../../../sidecar/svm/liteSvmExecutor.ts'
import { readEnvelopes } from '../../../sidecar/svm/readEnvelopes.ts'
import type { SvmAccount, SvmOutcome } from '../../../sidecar/svm/types.ts'
import {
  blockOf,
  type Call,
  call,
  deposit,
  hashOf,
  keypair,
  refOf,
  router,
  signed,
  transfer,
} from './svmBlocks.ts'

const SOL = 10n ** 9n
const logger = pino({ level: 'silent' })
const memo = new PublicKey('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr')
const token2022 = new PublicKey('TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb')
const alice = keypair(1)

/** A memo program under another key, as LiteSVM's own memo account has it, and one with its code beside it. */
function programsToAdd(): { key: PublicKey; account: SvmAccount }[] {
  const svm = new LiteSvm()
  const read = (key: Uint8Array): SvmAccount => {
    const account = svm.getAccount(key)
    if (account === null) throw new Error(`LiteSVM has no account ${new PublicKey(key)}`)
    return {
      lamports: account.lamports(),
      owner: account.owner(),
      executable: account.executable(),
      rentEpoch: account.rentEpoch(),
      data: account.data(),
    }
  }
  const program = read(token2022.toBytes())
  const code = keypair(901).publicKey
  const data = Buffer.from(program.data)
  data.set(code.toBytes(), 4)
  return [
    { key: keypair(900).publicKey, account: read(memo.toBytes()) },
    { key: keypair(902).publicKey, account: { ...program, data: new Uint8Array(data) } },
    { key: code, account: read(program.data.subarray(4, 36)) },
  ]
}

/** LiteSVM by itself: a program that ran, then removed, then called. */
function bare(): void {
  const { key, account } = programsToAdd()[0]!
  const svm = new LiteSvm()
  svm.setBlockhashCheck(false)
  const none = new Uint8Array(0)
  svm.setAccount(alice.publicKey.toBytes(), new Account(SOL, none, new Uint8Array(32), false, 0n))
  const { lamports, data, owner, executable, rentEpoch } = account
  svm.setAccount(key.toBytes(), new Account(lamports, data, owner, executable, rentEpoch))
  const send = (text: string): boolean => {
    const instruction = new TransactionInstruction({ programId: key, keys: [], data: Buffer.from(text) })
    return !(
      svm.sendLegacyTransaction(signed(hashOf(1n), [alice], [instruction])) instanceof
      FailedTransactionMetadata
    )
  }
  if (!send('one')) throw new Error('the program did not run')
  svm.setAccount(key.toBytes(), new Account(0n, none, new Uint8Array(32), false, 0n))
  send('two')
}

/** The same by our executor: programs that got in, called, undone, called, put back, called. */
async function undonePrograms(): Promise<object> {
  const programs = programsToAdd()
  const lattice = await createLatticeHash()
  const rows = programs.map(({ key, account }) => ({ key: key.toBytes(), value: encodeAccount(account) }))
  for (const { key, value } of rows) lattice.addAccount(key, value)
  const stored = { key: Buffer.from('lattice'), value: lattice.bytes() }
  const executor = await createLiteSvmExecutor(
    { undoDepth: 10, worker: false },
    {
      logger,
      state: {
        rows: (table) => (table === 'account' ? rows : [stored]),
        recentBlocks: [refOf(1n), refOf(2n)],
        signatures: [],
      },
    },
  )
  const seen: string[][] = []
  const run = async (number: bigint, branch: string, parent: ReturnType<typeof refOf>, calls: Call[]) => {
    const block = blockOf(refOf(number, branch), parent, calls)
    const envelopes = readEnvelopes(block, { router })
    const outcome: SvmOutcome = await executor.execute(block, envelopes, [...envelopes.keys()])
    seen.push(outcome.results.map(({ status, reason }) => reason ?? status))
    return { block: block.ref, writes: outcome.writes }
  }
  const callAll = (text: string): Call[] =>
    programs.slice(0, 2).map(({ key }) => {
      const data = Buffer.from(text)
      return call(
        signed(hashOf(1n), [alice], [new TransactionInstruction({ programId: key, keys: [], data })]),
      )
    })
  const ran = await run(3n, 'a', refOf(2n), [deposit(alice.publicKey, SOL), ...callAll('first')])
  // Block 2 is the one they got in by: undone, they were never there.
  const made = rows.map(({ key, value }) => ({
    table: 'account' as const,
    key,
    before: undefined,
    after: value,
  }))
  const latticeWrite = { table: 'svm' as const, key: stored.key, before: undefined, after: stored.value }
  executor.undo([ran, { block: refOf(2n), writes: [...made, latticeWrite] }], refOf(1n))
  const gone = await run(2n, 'b', refOf(1n), [deposit(alice.publicKey, SOL), ...callAll('second')])
  // And a block that had removed them is undone: they are back.
  const removed = rows.map(({ key, value }) => ({
    table: 'account' as const,
    key,
    before: value,
    after: undefined,
  }))
  executor.undo([{ block: gone.block, writes: [...gone.writes, ...removed] }], refOf(1n))
  await run(2n, 'c', refOf(1n), [deposit(alice.publicKey, SOL), ...callAll('third')])
  return { seen, accounts: programs.map(({ key }) => executor.account(key.toBytes()) !== undefined) }
}

/** Well-signed nonsense: any program, any accounts, any data, built-ins and sysvars among them. */
async function fuzz(seed: number): Promise<object> {
  const executor = await createLiteSvmExecutor({ undoDepth: 10, worker: false }, { logger })
  const signers = Array.from({ length: 6 }, (_, index) => keypair(200 + index))
  const interesting = [
    SystemProgram.programId,
    ComputeBudgetProgram.programId,
    SYSVAR_CLOCK_PUBKEY,
    SYSVAR_INSTRUCTIONS_PUBKEY,
    SYSVAR_RENT_PUBKEY,
    memo,
    token2022,
    ...[
      'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA',
      'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL',
      'Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo',
      'Stake11111111111111111111111111111111111111',
      'StakeConfig11111111111111111111111111111111',
      'Vote111111111111111111111111111111111111111',
      'AddressLookupTab1e1111111111111111111111111',
      'Ed25519SigVerify111111111111111111111111111',
      'KeccakSecp256k11111111111111111111111111111',
      'Secp256r1SigVerify1111111111111111111111111',
      'ZkE1Gama1Proof11111111111111111111111111111',
      'NativeLoader1111111111111111111111111111111',
      'Feature111111111111111111111111111111111111',
      'Sysvar1111111111111111111111111111111111111',
      'SysvarRecentB1ockHashes11111111111111111111',
      'SysvarS1otHashes111111111111111111111111111',
      'BPFLoaderUpgradeab1e11111111111111111111111',
      'BPFLoader2111111111111111111111111111111111',
      'LoaderV411111111111111111111111111111111111',
    ].map((id) => new PublicKey(id)),
  ]
  const key = fc.oneof(
    fc.constantFrom(...interesting),
    fc.constantFrom(...signers.map(({ publicKey }) => publicKey)),
    fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new PublicKey(bytes)),
  )
  const u64 = fc.bigInt(0n, 2n ** 64n - 1n)
  const systemData = fc
    .tuple(
      fc.nat(14),
      fc.oneof(u64, fc.constantFrom(0n, 1n, 2n ** 64n - 1n)),
      fc.uint8Array({ maxLength: 90 }),
    )
    .map(([index, amount, rest]) => {
      const data = Buffer.alloc(12)
      data.writeUInt32LE(index)
      data.writeBigUInt64LE(amount, 4)
      return Buffer.concat([data, rest])
    })
  const data = fc.oneof(
    systemData,
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  )
  const budget = fc.tuple(fc.nat(5), fc.nat(0xffffffff)).map(([kind, amount]) => {
    const bytes = Buffer.alloc(9)
    bytes[0] = kind
    bytes.writeUInt32LE(amount, 1)
    return new TransactionInstruction({ programId: ComputeBudgetProgram.programId, keys: [], data: bytes })
  })
  const instruction = fc.oneof(
    budget,
    fc
      .record({
        programId: fc.oneof(
          { weight: 5, arbitrary: fc.constantFrom(...interesting) },
          { weight: 1, arbitrary: key },
        ),
        keys: fc.array(fc.record({ pubkey: key, isWritable: fc.boolean() }), { maxLength: 7 }),
        data,
      })
      .map(({ programId, keys, data: bytes }) => {
        const metas = keys.map((meta) => ({
          ...meta,
          isSigner: signers.some(({ publicKey }) => publicKey.equals(meta.pubkey)),
        }))
        return new TransactionInstruction({ programId, keys: metas, data: bytes })
      }),
  )
  const transactions = fc.array(fc.array(instruction, { minLength: 1, maxLength: 3 }), {
    minLength: 20,
    maxLength: 20,
  })
  const counts: Record<string, number> = {}
  let parent = refOf(0n)
  for (const blockInstructions of fc.sample(transactions, { seed, numRuns: 30 })) {
    const calls: Call[] = signers.map(({ publicKey }) => deposit(publicKey, SOL))
    // Anything a deposit could be aimed at.
    for (const target of fc.sample(key, { seed: seed + Number(parent.number), numRuns: 3 })) {
      calls.push(deposit(target, 2n ** 64n - 1n))
    }
    for (const [index, instructions] of blockInstructions.entries()) {
      const payer = signers[index % signers.length]!
      const needed = new Set(
        instructions.flatMap(({ keys }) =>
          keys.filter(({ isSigner }) => isSigner).map(({ pubkey }) => pubkey.toBase58()),
        ),
      )
      const others = signers.filter(
        ({ publicKey }) => needed.has(publicKey.toBase58()) && publicKey !== payer.publicKey,
      )
      try {
        calls.push(call(signed(parent.hash, [payer, ...others] as [Keypair, ...Keypair[]], instructions)))
      } catch (error) {
        // Too large for a packet: web3.js does not write it.
        if (!(error instanceof RangeError || /too large/.test(String(error)))) throw error
      }
    }
    const block = blockOf(refOf(parent.number + 1n), parent, calls)
    const envelopes = readEnvelopes(block, { router })
    const outcome = await executor.execute(block, envelopes, [...envelopes.keys()])
    for (const { status } of outcome.results) counts[status] = (counts[status] ?? 0) + 1
    if (parent.number % 5n === 4n) {
      executor.undo([{ block: block.ref, writes: outcome.writes }], parent)
      const again = await executor.execute(block, envelopes, [...envelopes.keys()])
      if (Buffer.compare(again.latticeHash, outcome.latticeHash) !== 0)
        throw new Error(`seed ${seed}: undo left a trace`)
    }
    parent = block.ref
  }
  return counts
}

/** Sums at the edge of 64 bits, and a payer that is no plain account. */
async function edges(): Promise<object> {
  const executor = await createLiteSvmExecutor({ undoDepth: 10, worker: false }, { logger })
  const most = 2n ** 64n - 1n
  const owned = keypair(301)
  const calls = [
    deposit(alice.publicKey, most),
    deposit(keypair(2).publicKey, most),
    call(transfer(alice, keypair(2).publicKey, SOL, hashOf(0n))),
    call(
      signed(
        hashOf(0n),
        [alice, owned],
        [
          SystemProgram.createAccount({
            fromPubkey: alice.publicKey,
            newAccountPubkey: owned.publicKey,
            lamports: 10 ** 12,
            space: 10 * 1024 * 1024,
            programId: memo,
          }),
        ],
      ),
    ),
    call(transfer(owned, alice.publicKey, 1n, hashOf(0n))),
    call(signed(hashOf(0n), [alice], [ComputeBudgetProgram.requestHeapFrame({ bytes: 256 * 1024 })])),
    call(
      signed(
        hashOf(0n),
        [alice],
        [
          ComputeBudgetProgram.setComputeUnitPrice({ microLamports: most }),
          ComputeBudgetProgram.setComputeUnitLimit({ units: 1_400_000 }),
        ],
      ),
    ),
    deposit(owned.publicKey, 5n),
  ]
  const block = blockOf(refOf(1n), refOf(0n), calls)
  const envelopes = readEnvelopes(block, { router })
  const outcome = await executor.execute(block, envelopes, [...envelopes.keys()])
  return outcome.results.map(({ status, reason }) => reason ?? status)
}

const [scenario, seed] = process.argv.slice(2)
if (scenario === 'bare') bare()
const report =
  scenario === 'undone'
    ? await undonePrograms()
    : scenario === 'fuzz'
      ? await fuzz(Number(seed))
      : await edges()
console.log(JSON.stringify(report))
