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
import { type Keypair, PublicKey, SYSVAR_CLOCK_PUBKEY, SystemProgram } from '@solana/web3.js'
import fc from 'fast-check'
import pino from 'pino'
import { afterAll, describe, expect, test } from 'vitest'
import type { StateWrite } from '../../../sidecar/notification/stateWrite.ts'
import type { Block, BlockRef } from '../../../sidecar/notification/types.ts'
import { encodeAccount } from '../../../sidecar/svm/accountValue.ts'
import { createLatticeHash } from '../../../sidecar/svm/latticeHash.ts'
import { createLiteSvmExecutor } from '../../../sidecar/svm/liteSvmExecutor.ts'
import { readEnvelopes } from '../../../sidecar/svm/readEnvelopes.ts'
import type { SvmExecutor, SvmOutcome, SvmState } from '../../../sidecar/svm/types.ts'
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

const logger = pino({ level: 'silent' })
const SOL = 10n ** 9n
const FEE = 5000n
const memo = new PublicKey('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr')
const upgradeableLoader = new PublicKey('BPFLoaderUpgradeab1e11111111111111111111111')
const [alice, bob, carol] = [keypair(1), keypair(2), keypair(3)]

const open: SvmExecutor[] = []
afterAll(() => {
  for (const executor of open) executor.close()
})

type Undone = { readonly block: BlockRef; readonly writes: readonly StateWrite[] }

/** An executor on a chain that a test grows block by block, and what a store would hold of it. */
async function startChain(
  options: { state?: SvmState; tip?: BlockRef; worker?: boolean; undoDepth?: number } = {},
) {
  const { state, tip = refOf(0n), worker = false, undoDepth = 64 } = options
  const executor = await createLiteSvmExecutor({ undoDepth, worker }, { logger, state })
  open.push(executor)
  const applied: (Undone & { outcome: SvmOutcome; block: BlockRef })[] = []
  let parent = tip
  const apply = async (block: Block, admitted?: readonly number[]): Promise<SvmOutcome> => {
    const envelopes = readEnvelopes(block, { router })
    const outcome = await executor.execute(block, envelopes, admitted ?? [...envelopes.keys()])
    applied.push({ block: block.ref, writes: outcome.writes, outcome })
    parent = block.ref
    // Whatever way a write came about, it is what the VM holds.
    for (const { table, key, after } of outcome.writes) {
      const account = executor.account(key)
      if (table === 'account')
        expect(after).toEqual(account === undefined ? undefined : encodeAccount(account))
    }
    return outcome
  }
  return {
    executor,
    applied,
    tip: () => parent,
    apply,
    /** The next block, with these calls. */
    next: (
      calls: readonly Call[],
      { branch = 'main', admitted }: { branch?: string; admitted?: number[] } = {},
    ) => apply(blockOf(refOf(parent.number + 1n, branch), parent, calls), admitted),
    undo(count: number) {
      const undone = applied.splice(applied.length - count, count).reverse()
      const last = applied.at(-1)?.block ?? tip
      executor.undo(undone, last)
      parent = last
    },
    /** What a store would give back. */
    stored(): SvmState {
      const tables = new Map<string, Map<string, { key: Uint8Array; value: Uint8Array }>>()
      for (const { writes } of applied) {
        for (const { table, key, after } of writes) {
          const rows = tables.get(table) ?? new Map()
          tables.set(table, rows)
          if (after === undefined) rows.delete(Buffer.from(key).toString('hex'))
          else rows.set(Buffer.from(key).toString('hex'), { key, value: after })
        }
      }
      return {
        rows: (table) => tables.get(table)?.values() ?? [],
        recentBlocks: applied.map(({ block }) => block),
        signatures: applied.flatMap(({ block, outcome }) =>
          outcome.signatures.map((signature) => ({ signature, block: block.number })),
        ),
      }
    },
  }
}

type Chain = Awaited<ReturnType<typeof startChain>>

const lamportsOf = (chain: Chain, key: PublicKey): bigint | undefined =>
  chain.executor.account(key.toBytes())?.lamports
const statuses = (outcome: SvmOutcome): string[] =>
  outcome.results.map(({ status, reason }) => (reason === undefined ? status : `${status}: ${reason}`))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Every undo must restore the tables, so replaying the writes backwards is a check by itself. */
function snapshot(chain: Chain): object {
  const { rows } = chain.stored()
  const table = (name: 'account' | 'svm') =>
    [...rows(name)].map(({ key, value }) => [hex(key), hex(value)]).sort((a, b) => (a[0]! < b[0]! ? -1 : 1))
  return { accounts: table('account'), svm: table('svm') }
}

describe('execution', () => {
  test('credits a deposit, runs a transfer, and takes the fee', async () => {
    const chain = await startChain()
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
    const chain = await startChain()
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
    const chain = await startChain()
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
    const chain = await startChain()
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
    const chain = await startChain()
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
    const chain = await startChain()
    await chain.next([deposit(alice.publicKey, 10n * SOL)])
    const again = await startChain({ state: chain.stored(), tip: chain.tip() })
    const calls = [call(transfer(alice, bob.publicKey, SOL, hashOf(0n)))]
    expect(statuses(await chain.next(calls))).toEqual(['executed'])
    expect(statuses(await again.next(calls))).toEqual(['executed'])
  })

  test('shows programs the block as the clock', async () => {
    const chain = await startChain()
    await chain.next([deposit(alice.publicKey, 10n * SOL)])
    await chain.next([call(transfer(alice, bob.publicKey, SOL, hashOf(1n)))])
    const clock = Buffer.from(chain.executor.account(SYSVAR_CLOCK_PUBKEY.toBytes())!.data)
    expect(clock.readBigUInt64LE(0)).toBe(2n)
    expect(clock.readBigInt64LE(32)).toBe(1_700_000_024n)
  })

  test('runs token programs: a mint, an account, tokens', async () => {
    const chain = await startChain()
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

  test('refuses durable nonces', async () => {
    const chain = await startChain()
    await chain.next([deposit(alice.publicKey, 10n * SOL)])
    const advance = SystemProgram.nonceAdvance({
      noncePubkey: keypair(60).publicKey,
      authorizedPubkey: alice.publicKey,
    })
    const outcome = await chain.next([call(signed(hashOf(1n), [alice], [advance]))])
    expect(statuses(outcome)).toEqual(['rejected: durable nonce'])
  })

  test('refuses what would deploy or change programs', async () => {
    const chain = await startChain()
    await chain.next([deposit(alice.publicKey, 10n * SOL)])
    const h = hashOf(1n)
    const buffer = keypair(61)
    const tries: [string, Uint8Array][] = [
      [
        'create for a loader',
        signed(
          h,
          [alice, buffer],
          [
            SystemProgram.createAccount({
              fromPubkey: alice.publicKey,
              newAccountPubkey: buffer.publicKey,
              lamports: 2_000_000,
              space: 100,
              programId: upgradeableLoader,
            }),
          ],
        ),
      ],
      [
        'assign to a loader',
        signed(
          h,
          [alice],
          [SystemProgram.assign({ accountPubkey: alice.publicKey, programId: upgradeableLoader })],
        ),
      ],
      [
        'call a loader',
        signed(h, [alice], [{ programId: upgradeableLoader, keys: [], data: Buffer.alloc(4) }]),
      ],
      [
        'name a loader',
        signed(
          h,
          [alice],
          [
            {
              programId: memo,
              keys: [{ pubkey: upgradeableLoader, isSigner: false, isWritable: false }],
              data: Buffer.alloc(1),
            },
          ],
        ),
      ],
      ['pay a program', transfer(alice, memo, 1n, h)],
    ]
    for (const [name, bytes] of tries) {
      expect(statuses(await chain.next([call(bytes)])), name).toEqual(['rejected: program deployment'])
    }
    expect(lamportsOf(chain, alice.publicKey)).toBe(10n * SOL)
  })

  test('a deposit never goes past 64 bits, and never to the accounts of the VM itself', async () => {
    const chain = await startChain()
    const most = 2n ** 64n - 1n
    const outcome = await chain.next([
      deposit(alice.publicKey, most - 1n),
      deposit(alice.publicKey, 5n, 7n),
      deposit(SYSVAR_CLOCK_PUBKEY, 5n),
      deposit(memo, 1n),
      deposit(SystemProgram.programId, 1n),
      deposit(bob.publicKey, 0n, 9n),
    ])
    expect(statuses(outcome)).toEqual([
      'deposited',
      'deposited',
      'rejected: denied program',
      'rejected: denied program',
      'rejected: denied program',
      'deposited',
    ])
    expect(outcome.unspentWei).toBe(4n * GWEI + 7n + 5n * GWEI + GWEI + GWEI + 9n)
    expect(lamportsOf(chain, alice.publicKey)).toBe(most)
    expect(outcome.accounts).toBe(1)
  })

  test('an account emptied by a transfer is gone', async () => {
    const chain = await startChain()
    await chain.next([deposit(alice.publicKey, SOL)])
    const outcome = await chain.next([call(transfer(alice, bob.publicKey, SOL - FEE, hashOf(1n)))])
    expect(statuses(outcome)).toEqual(['executed'])
    expect(chain.executor.account(alice.publicKey.toBytes())).toBeUndefined()
    expect(outcome.accounts).toBe(1)
    const removal = outcome.writes.find(({ key }) => hex(key) === hex(alice.publicKey.toBytes()))
    expect(removal).toMatchObject({ table: 'account', after: undefined })
  })

  test('knows no account by a key of another length', async () => {
    const chain = await startChain()
    for (const length of [0, 31, 33]) expect(chain.executor.account(new Uint8Array(length))).toBeUndefined()
  })

  test('runs a configured program, and names one that does not load', async () => {
    const source = await startChain()
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

  test('refuses a block that does not follow', async () => {
    const chain = await startChain()
    await chain.next([])
    await expect(chain.apply(blockOf(refOf(3n), refOf(2n), []))).rejects.toMatchObject({
      code: 'SVM_CHAIN_ORDER',
    })
    await expect(chain.apply(blockOf(refOf(2n), refOf(1n, 'other'), []))).rejects.toMatchObject({
      code: 'SVM_CHAIN_ORDER',
    })
  })
})

describe('state', () => {
  test('the lattice hash is that of the accounts there are', async () => {
    const chain = await startChain()
    await chain.next([deposit(alice.publicKey, 10n * SOL), deposit(bob.publicKey, SOL)])
    const outcome = await chain.next([
      call(transfer(alice, carol.publicKey, SOL, hashOf(1n))),
      call(transfer(bob, carol.publicKey, SOL - FEE, hashOf(1n))),
    ])
    const expected = await createLatticeHash()
    for (const { publicKey } of [alice, carol]) {
      const account = chain.executor.account(publicKey.toBytes())!
      expected.addAccount(publicKey.toBytes(), encodeAccount(account))
    }
    expect(chain.executor.account(bob.publicKey.toBytes())).toBeUndefined()
    expect(outcome.latticeHash).toEqual(expected.checksum())
  })

  test('nothing random is left: two executors have the same empty hash and no accounts', async () => {
    const [one, two] = [await startChain(), await startChain()]
    const [a, b] = [await one.next([]), await two.next([])]
    expect(a.latticeHash).toEqual(b.latticeHash)
    expect(a.accounts).toBe(0)
    expect(hex(a.latticeHash)).toBe('be2a8de3dcf46c94ce85cdc8e07ac308f4d8a95490d956c38d780fd610db0813')
  })

  test('undo puts back accounts, hash, signatures and block hashes', async () => {
    const chain = await startChain()
    const first = await chain.next([deposit(alice.publicKey, 10n * SOL)])
    const before = snapshot(chain)
    const send = transfer(alice, bob.publicKey, SOL, hashOf(1n))
    const onMain = await chain.next([call(send)])
    await chain.next([call(transfer(alice, bob.publicKey, SOL, hashOf(2n))), deposit(carol.publicKey, 5n)])
    chain.undo(2)
    expect(snapshot(chain)).toEqual(before)
    expect(lamportsOf(chain, alice.publicKey)).toBe(10n * SOL)
    expect(lamportsOf(chain, bob.publicKey)).toBeUndefined()
    const other = await chain.next([call(send), call(transfer(alice, bob.publicKey, SOL, hashOf(2n)))], {
      branch: 'fork',
    })
    // What was signed before the fork runs again; what names a block of the other branch died with it.
    expect(statuses(other)).toEqual(['executed', 'rejected: stale blockhash'])
    expect(other.latticeHash).toEqual(onMain.latticeHash)
    chain.undo(2)
    expect((await chain.next([deposit(alice.publicKey, 10n * SOL)])).latticeHash).toEqual(first.latticeHash)
  })

  test('undo refuses a tip that is not what remains', async () => {
    const chain = await startChain()
    await chain.next([])
    await chain.next([])
    expect(() => chain.executor.undo([{ block: refOf(2n), writes: [] }], refOf(1n, 'other'))).toThrow(
      expect.objectContaining({ code: 'SVM_CHAIN_ORDER' }),
    )
  })

  test('a restart goes on as if there had been none', async () => {
    const chain = await startChain()
    const send = transfer(alice, bob.publicKey, SOL, hashOf(1n))
    await chain.next([deposit(alice.publicKey, 10n * SOL)])
    await chain.next([call(send)])
    const again = await startChain({ state: chain.stored(), tip: chain.tip() })
    const calls = [call(send), call(transfer(alice, carol.publicKey, SOL, hashOf(2n)))]
    const [one, two] = [await chain.next(calls), await again.next(calls)]
    expect(statuses(two)).toEqual(['rejected: duplicate', 'executed'])
    expect(two.latticeHash).toEqual(one.latticeHash)
    expect(two.accounts).toBe(one.accounts)
    expect(two.writes).toEqual(one.writes)
  })

  test('a damaged row is named', async () => {
    const rows = (table: string) =>
      table === 'account' ? [{ key: new Uint8Array(32), value: new Uint8Array(10) }] : []
    const damaged: SvmState = { rows, recentBlocks: [], signatures: [] }
    await expect(startChain({ state: damaged })).rejects.toMatchObject({ code: 'SVM_STORED_STATE' })
  })

  test('blocks, undos and restarts in any order end as the canonical chain alone does', async () => {
    const people = [1, 2, 3, 4].map(keypair) as [Keypair, Keypair, Keypair, Keypair]
    const person = fc.nat(3).map((index) => people[index]!)
    const action = fc.oneof(
      fc.record({ kind: fc.constant('deposit' as const), to: person, lamports: fc.bigInt(0n, 3n * SOL) }),
      fc.record({
        kind: fc.constant('transfer' as const),
        from: person,
        to: person,
        lamports: fc.bigInt(0n, 2n * SOL),
        back: fc.integer({ min: 1, max: 4 }),
        spoil: fc.boolean(),
      }),
    )
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('block' as const),
          actions: fc.array(action, { maxLength: 6 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('undo' as const), count: fc.integer({ min: 1, max: 5 }) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 16 }),
        fc.boolean(),
        async (steps, worker) => {
          let chain = await startChain({ worker })
          const canonical: Block[] = []
          let branch = 0
          for (const each of steps) {
            if (each.kind === 'block') {
              const number = chain.tip().number + 1n
              const known = [refOf(0n), ...canonical.map(({ ref }) => ref)]
              const calls = each.actions.map((what): Call => {
                if (what.kind === 'deposit') return deposit(what.to.publicKey, what.lamports)
                const { hash } = known[Math.max(0, known.length - what.back)]!
                const bytes = transfer(what.from, what.to.publicKey, what.lamports, hash)
                if (what.spoil) bytes[7]! ^= 0x40
                return call(bytes)
              })
              const block = blockOf(refOf(number, `branch ${branch}`), chain.tip(), calls)
              await chain.apply(block)
              canonical.push(block)
            } else if (each.kind === 'undo') {
              const count = Math.min(each.count, canonical.length)
              chain.undo(count)
              canonical.splice(canonical.length - count)
              branch++
            } else {
              const next = await startChain({ state: chain.stored(), tip: refOf(0n), worker })
              next.applied.push(...chain.applied)
              // The chain helper starts at the tip it is given: let it go on where the other stopped.
              const { applied } = next
              const tip = () => applied.at(-1)?.block ?? refOf(0n)
              const apply = async (block: Block): Promise<SvmOutcome> => {
                const envelopes = readEnvelopes(block, { router })
                const outcome = await next.executor.execute(block, envelopes, [...envelopes.keys()])
                applied.push({ block: block.ref, writes: outcome.writes, outcome })
                return outcome
              }
              chain.executor.close()
              chain = { ...next, tip, apply }
            }
          }
          const fresh = await startChain()
          for (const block of canonical) await fresh.apply(block)
          expect(snapshot(chain)).toEqual(snapshot(fresh))
          const probe = blockOf(refOf(fresh.tip().number + 1n, 'probe'), fresh.tip(), [
            deposit(alice.publicKey, 1n),
          ])
          const [a, b] = [await chain.apply(probe), await fresh.apply(probe)]
          expect(a.latticeHash).toEqual(b.latticeHash)
          expect(a.accounts).toBe(b.accounts)
          chain.executor.close()
          fresh.executor.close()
        },
      ),
      { numRuns: 20 },
    )
  }, 120_000)
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
    const chains = [await startChain({ worker: false }), await startChain({ worker: true })]
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

test('compute limits and heap sizes are for the SVM to judge', async () => {
  const chain = await startChain()
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
