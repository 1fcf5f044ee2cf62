import type { Keypair } from '@solana/web3.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Block } from '../../../sidecar/notification/types.ts'
import { encodeAccount } from '../../../sidecar/svm/accountValue.ts'
import { createLatticeHash } from '../../../sidecar/svm/latticeHash.ts'
import { readEnvelopes } from '../../../sidecar/svm/readEnvelopes.ts'
import type { SvmOutcome, SvmState } from '../../../sidecar/svm/types.ts'
import { hex, lamportsOf, snapshot, startSvmChain, statuses } from '../../support/svm/startSvmChain.ts'
import { blockOf, type Call, call, deposit, hashOf, keypair, refOf, router, transfer } from './svmBlocks.ts'

const SOL = 10n ** 9n
const FEE = 5000n
const [alice, bob, carol] = [keypair(1), keypair(2), keypair(3)]

describe('state', () => {
  test('the lattice hash is that of the accounts there are', async () => {
    const chain = await startSvmChain()
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
    const [one, two] = [await startSvmChain(), await startSvmChain()]
    const [a, b] = [await one.next([]), await two.next([])]
    expect(a.latticeHash).toEqual(b.latticeHash)
    expect(a.accounts).toBe(0)
    expect(hex(a.latticeHash)).toBe('be2a8de3dcf46c94ce85cdc8e07ac308f4d8a95490d956c38d780fd610db0813')
  })

  test('undo puts back accounts, hash, signatures and block hashes', async () => {
    const chain = await startSvmChain()
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
    const chain = await startSvmChain()
    await chain.next([])
    await chain.next([])
    expect(() => chain.executor.undo([{ block: refOf(2n), writes: [] }], refOf(1n, 'other'))).toThrow(
      expect.objectContaining({ code: 'SVM_CHAIN_ORDER' }),
    )
  })

  test('a restart goes on as if there had been none', async () => {
    const chain = await startSvmChain()
    const send = transfer(alice, bob.publicKey, SOL, hashOf(1n))
    await chain.next([deposit(alice.publicKey, 10n * SOL)])
    await chain.next([call(send)])
    const again = await startSvmChain({ state: chain.stored(), tip: chain.tip() })
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
    await expect(startSvmChain({ state: damaged })).rejects.toMatchObject({ code: 'SVM_STORED_STATE' })
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
          let chain = await startSvmChain({ worker })
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
              const next = await startSvmChain({ state: chain.stored(), tip: refOf(0n), worker })
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
          const fresh = await startSvmChain()
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
