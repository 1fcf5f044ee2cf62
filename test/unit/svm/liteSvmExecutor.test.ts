import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createAssociatedTokenAccountInstruction,
  createInitializeMint2Instruction,
  createMintToInstruction,
  getAssociatedTokenAddressSync,
  TOKEN_PROGRAM_ID,
} from '@solana/spl-token'
import { PublicKey, SYSVAR_CLOCK_PUBKEY, SystemProgram } from '@solana/web3.js'
import pino from 'pino'
import { describe, expect, test } from 'vitest'
import { createLiteSvmExecutor } from '../../../sidecar/svm/liteSvmExecutor.ts'
import { readEnvelopes } from '../../../sidecar/svm/readEnvelopes.ts'
import type { SvmOutcome } from '../../../sidecar/svm/types.ts'
import { hex, lamportsOf, startSvmChain, statuses } from '../../support/svm/startSvmChain.ts'
import {
  batch,
  blockOf,
  type Call,
  call,
  deposit,
  GWEI,
  hashOf,
  keypair,
  refOf,
  router,
  setComputeUnits,
  signed,
  transfer,
} from './svmBlocks.ts'

const SOL = 10n ** 9n
const FEE = 5000n
const memo = new PublicKey('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr')
const [alice, bob, carol] = [keypair(1), keypair(2), keypair(3)]

const logger = pino({ level: 'silent' })
describe('execution', () => {
  test('credits a deposit, runs a transfer, and takes the fee', async () => {
    const chain = await startSvmChain()
    const first = await chain.next([deposit(alice.publicKey, 10n * SOL, 3n)])
    expect(statuses(first)).toEqual(['deposited'])
    expect(first.unspentWei).toBe(3n)
    expect(first.accounts).toBe(1)
    const second = await chain.next([call(transfer(alice, bob.publicKey, SOL, hashOf(1n)), 9n)])
    expect(statuses(second)).toEqual(['executed'])
    expect(second.results[0]).toMatchObject({ transactionIndex: 0, item: 0, computeUnits: 150 })
    expect(second.unspentWei).toBe(9n)
    expect(second.signatures).toEqual([second.results[0]!.signature])
    expect(lamportsOf(chain, alice.publicKey)).toBe(9n * SOL - FEE)
    expect(lamportsOf(chain, bob.publicKey)).toBe(SOL)
    expect(second.accounts).toBe(2)
    expect(second.writes.map(({ table }) => table)).toEqual(['account', 'account', 'svm'])
  })

  test('gives each item of a batch its own outcome, in order', async () => {
    const chain = await startSvmChain()
    const h = hashOf(1n)
    await chain.next([deposit(alice.publicKey, 10n * SOL)])
    const bad = Uint8Array.from(transfer(alice, bob.publicKey, SOL, h))
    bad[5]! ^= 1
    const good = transfer(alice, bob.publicKey, SOL, h)
    const outcome = await chain.next([
      call(
        batch([
          good,
          good,
          bad,
          transfer(alice, bob.publicKey, 100n * SOL, h),
          transfer(carol, bob.publicKey, SOL, h),
          transfer(bob, alice.publicKey, 1n, hashOf(99n)),
          Uint8Array.of(1),
        ]),
      ),
    ])
    expect(statuses(outcome)).toEqual([
      'executed',
      'rejected: duplicate',
      'rejected: bad signature',
      'failed: InstructionError(0, Custom(1))',
      'failed: AccountNotFound',
      'rejected: stale blockhash',
      'rejected: truncated',
    ])
    expect(outcome.results.map(({ item }) => item)).toEqual([0, 1, 2, 3, 4, 5, 6])
    // One ran, one failed with its fee; who could not pay has nothing recorded against a second try.
    expect(outcome.signatures.length).toBe(2)
    expect(lamportsOf(chain, alice.publicKey)).toBe(9n * SOL - 2n * FEE)
  })

  test('a failure that charged nothing may be tried again, one that charged may not', async () => {
    const chain = await startSvmChain()
    await chain.next([deposit(alice.publicKey, 10n * SOL)])
    const unpaid = transfer(bob, alice.publicKey, 1n, hashOf(1n))
    const charged = transfer(alice, carol.publicKey, 50n * SOL, hashOf(1n))
    expect(statuses(await chain.next([call(unpaid), call(charged)]))).toEqual([
      'failed: AccountNotFound',
      'failed: InstructionError(0, Custom(1))',
    ])
    await chain.next([deposit(bob.publicKey, SOL)])
    expect(statuses(await chain.next([call(unpaid), call(charged)]))).toEqual([
      'executed',
      'rejected: duplicate',
    ])
  })

  test('runs nothing that was not admitted, but says what was rejected in it', async () => {
    const chain = await startSvmChain()
    const calls = [
      deposit(alice.publicKey, 1n, 5n),
      call(transfer(alice, bob.publicKey, 1n, hashOf(0n))),
      call(Uint8Array.of(0), 2n),
      call(batch([Uint8Array.of(9), transfer(alice, bob.publicKey, 1n, hashOf(0n))])),
    ]
    const outcome = await chain.next(calls, { admitted: [] })
    expect(outcome.results.map(({ transactionIndex, reason }) => [transactionIndex, reason])).toEqual([
      [2, 'unknown encoding'],
      [3, 'truncated'],
    ])
    expect(outcome.unspentWei).toBe(GWEI + 5n + 2n)
    expect(outcome.accounts).toBe(0)
    expect(outcome.writes.filter(({ table }) => table === 'account')).toEqual([])
  })

  test('takes block hashes of the last 150 blocks, no others', async () => {
    const chain = await startSvmChain()
    await chain.next([deposit(alice.publicKey, 10n * SOL)])
    while (chain.tip().number < 160n) await chain.next([])
    const naming = (number: bigint, lamports: bigint): Call =>
      call(transfer(alice, bob.publicKey, SOL + lamports, hashOf(number)))
    // This will be block 161.
    const outcome = await chain.next([naming(10n, 1n), naming(11n, 2n), naming(160n, 3n), naming(161n, 4n)])
    expect(statuses(outcome)).toEqual([
      'rejected: stale blockhash',
      'executed',
      'executed',
      'rejected: stale blockhash',
    ])
  })

  test('takes the hash of the block before the first, after a restart as well', async () => {
    const chain = await startSvmChain()
    await chain.next([deposit(alice.publicKey, 10n * SOL)])
    const again = await startSvmChain({ state: chain.stored(), tip: chain.tip() })
    const calls = [call(transfer(alice, bob.publicKey, SOL, hashOf(0n)))]
    expect(statuses(await chain.next(calls))).toEqual(['executed'])
    expect(statuses(await again.next(calls))).toEqual(['executed'])
  })

  test('shows programs the block as the clock', async () => {
    const chain = await startSvmChain()
    await chain.next([deposit(alice.publicKey, 10n * SOL)])
    await chain.next([call(transfer(alice, bob.publicKey, SOL, hashOf(1n)))])
    const clock = Buffer.from(chain.executor.account(SYSVAR_CLOCK_PUBKEY.toBytes())!.data)
    expect(clock.readBigUInt64LE(0)).toBe(2n)
    expect(clock.readBigInt64LE(32)).toBe(1_700_000_024n)
  })

  test('runs token programs: a mint, an account, tokens', async () => {
    const chain = await startSvmChain()
    await chain.next([deposit(alice.publicKey, 10n * SOL)])
    const mint = keypair(50)
    const owned = getAssociatedTokenAddressSync(mint.publicKey, alice.publicKey)
    const outcome = await chain.next([
      call(
        signed(
          hashOf(1n),
          [alice, mint],
          [
            SystemProgram.createAccount({
              fromPubkey: alice.publicKey,
              newAccountPubkey: mint.publicKey,
              lamports: 2_000_000,
              space: 82,
              programId: TOKEN_PROGRAM_ID,
            }),
            createInitializeMint2Instruction(mint.publicKey, 6, alice.publicKey, null),
          ],
        ),
      ),
      call(
        signed(
          hashOf(1n),
          [alice],
          [
            createAssociatedTokenAccountInstruction(alice.publicKey, owned, alice.publicKey, mint.publicKey),
            createMintToInstruction(mint.publicKey, owned, alice.publicKey, 1234),
          ],
        ),
      ),
      call(signed(hashOf(1n), [alice], [{ programId: memo, keys: [], data: Buffer.from('hello') }])),
    ])
    expect(statuses(outcome)).toEqual(['executed', 'executed', 'executed'])
    expect(Buffer.from(chain.executor.account(owned.toBytes())!.data).readBigUInt64LE(64)).toBe(1234n)
    expect(outcome.accounts).toBe(3)
  })

  test('an account emptied by a transfer is gone', async () => {
    const chain = await startSvmChain()
    await chain.next([deposit(alice.publicKey, SOL)])
    const outcome = await chain.next([call(transfer(alice, bob.publicKey, SOL - FEE, hashOf(1n)))])
    expect(statuses(outcome)).toEqual(['executed'])
    expect(chain.executor.account(alice.publicKey.toBytes())).toBeUndefined()
    expect(outcome.accounts).toBe(1)
    const removal = outcome.writes.find(({ key }) => hex(key) === hex(alice.publicKey.toBytes()))
    expect(removal).toMatchObject({ table: 'account', after: undefined })
  })

  test('knows no account by a key of another length', async () => {
    const chain = await startSvmChain()
    for (const length of [0, 31, 33]) expect(chain.executor.account(new Uint8Array(length))).toBeUndefined()
  })

  test('runs a configured program, and names one that does not load', async () => {
    const source = await startSvmChain()
    const elf = source.executor.account(memo.toBytes())!.data
    const folder = await mkdtemp(join(tmpdir(), 'monmouth-svm-'))
    const [good, bad, missing] = ['good.so', 'bad.so', 'missing.so'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    await writeFile(good, elf)
    await writeFile(bad, 'no program')
    const id = keypair(70).publicKey.toBase58()
    const start = (file: string) =>
      createLiteSvmExecutor({ undoDepth: 1, worker: false, programs: [{ id, file }] }, { logger })
    const executor = await start(good)
    const data = Buffer.from('configured')
    const run = signed(hashOf(0n), [alice], [{ programId: new PublicKey(id), keys: [], data }])
    const block = blockOf(refOf(1n), refOf(0n), [deposit(alice.publicKey, SOL), call(run)])
    const outcome = await executor.execute(block, readEnvelopes(block, { router }), [0, 1])
    expect(statuses(outcome)).toEqual(['deposited', 'executed'])
    expect(outcome.accounts).toBe(1)
    for (const file of [bad, missing]) {
      await expect(start(file), file).rejects.toMatchObject({ code: 'SVM_PROGRAM_LOAD', facts: { id, file } })
    }
    await rm(folder, { recursive: true })
  })

  test('compute limits and heap sizes are for the SVM to judge', async () => {
    const chain = await startSvmChain()
    await chain.next([deposit(alice.publicKey, 10n * SOL)])
    const outcome = await chain.next([
      call(signed(hashOf(1n), [alice], [setComputeUnits(1), setComputeUnits(2)])),
      call(
        signed(
          hashOf(1n),
          [alice],
          [setComputeUnits(1), { programId: memo, keys: [], data: Buffer.from('x') }],
        ),
      ),
    ])
    expect(outcome.results.map(({ status }) => status)).toEqual(['failed', 'failed'])
    expect(outcome.signatures.length).toBe(1)
  })
})

describe('signature checks', () => {
  test('the worker changes no result', async () => {
    const senders = Array.from({ length: 40 }, (_, index) => keypair(100 + index))
    const blocks = (): Call[][] => [
      senders.map(({ publicKey }) => deposit(publicKey, SOL)),
      senders.map((sender, index) => {
        const bytes = transfer(sender, bob.publicKey, SOL / 2n, hashOf(1n))
        if (index % 3 === 0) bytes[10]! ^= 1
        return call(bytes)
      }),
      senders.map((sender) => call(transfer(sender, carol.publicKey, SOL / 4n, hashOf(2n)))),
    ]
    const chains = [await startSvmChain({ worker: false }), await startSvmChain({ worker: true })]
    const outcomes = []
    for (const chain of chains) {
      const seen: SvmOutcome[] = []
      for (const calls of blocks()) seen.push(await chain.next(calls))
      outcomes.push(seen)
    }
    expect(outcomes[1]).toEqual(outcomes[0])
    expect(statuses(outcomes[0]![1]!).filter((status) => status === 'rejected: bad signature').length).toBe(
      14,
    )
  })
})
