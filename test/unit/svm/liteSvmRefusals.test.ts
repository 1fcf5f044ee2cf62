import { PublicKey, SYSVAR_CLOCK_PUBKEY, SystemProgram } from '@solana/web3.js'
import { describe, expect, test } from 'vitest'
import { lamportsOf, startSvmChain, statuses } from '../../support/svm/startSvmChain.ts'
import { blockOf, call, deposit, GWEI, hashOf, keypair, refOf, signed, transfer } from './svmBlocks.ts'

const SOL = 10n ** 9n
const memo = new PublicKey('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr')
const upgradeableLoader = new PublicKey('BPFLoaderUpgradeab1e11111111111111111111111')
const [alice, bob] = [keypair(1), keypair(2)]

describe('what is refused', () => {
  test('refuses durable nonces', async () => {
    const chain = await startSvmChain()
    await chain.next([deposit(alice.publicKey, 10n * SOL)])
    const advance = SystemProgram.nonceAdvance({
      noncePubkey: keypair(60).publicKey,
      authorizedPubkey: alice.publicKey,
    })
    const outcome = await chain.next([call(signed(hashOf(1n), [alice], [advance]))])
    expect(statuses(outcome)).toEqual(['rejected: durable nonce'])
  })

  test('refuses what would deploy or change programs', async () => {
    const chain = await startSvmChain()
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
    const chain = await startSvmChain()
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

  test('refuses a block that does not follow', async () => {
    const chain = await startSvmChain()
    await chain.next([])
    await expect(chain.apply(blockOf(refOf(3n), refOf(2n), []))).rejects.toMatchObject({
      code: 'SVM_CHAIN_ORDER',
    })
    await expect(chain.apply(blockOf(refOf(2n), refOf(1n, 'other'), []))).rejects.toMatchObject({
      code: 'SVM_CHAIN_ORDER',
    })
  })
})
