import { PublicKey } from '@solana/web3.js'
import fc from 'fast-check'
import pino from 'pino'
import { expect, test } from 'vitest'
import { decodeBase58, encodeBase58 } from '../../../sidecar/svm/base58.ts'
import { readEnvelopes } from '../../../sidecar/svm/readEnvelopes.ts'
import { createRpcExecutor } from '../../../sidecar/svm/rpcExecutor.ts'
import { LiteSvmRpcServer } from './liteSvmRpcServer.ts'
import { batch, blockOf, call, deposit, GWEI, hashOf, keypair, refOf, router, transfer } from './svmBlocks.ts'

const logger = pino({ level: 'silent' })
const SOL = 10n ** 9n
const [alice, bob, carol] = [keypair(1), keypair(2), keypair(3)]

test('runs transactions on a cluster and reports what it answered', async () => {
  await using server = await LiteSvmRpcServer.start()
  server.fund(alice.publicKey.toBytes(), 10n * SOL)
  const executor = createRpcExecutor({ url: server.url, finalized: true, pollMs: 1 }, { logger })
  const h = hashOf(1n)
  const bad = Uint8Array.from(transfer(alice, bob.publicKey, SOL, h))
  bad[5]! ^= 1
  const block = blockOf(refOf(2n), refOf(1n), [
    call(transfer(alice, bob.publicKey, SOL, h)),
    call(batch([transfer(alice, bob.publicKey, 50n * SOL, h), Uint8Array.of(1), bad])),
    call(transfer(carol, bob.publicKey, SOL, h)),
    deposit(carol.publicKey, 7n),
    call(transfer(alice, bob.publicKey, 2n, h)),
  ])
  const envelopes = readEnvelopes(block, { router })
  const outcome = await executor.execute(block, envelopes, [0, 1, 2, 3])
  expect(
    outcome.results.map(({ transactionIndex, item, status, reason }) => [
      transactionIndex,
      item,
      status,
      reason,
    ]),
  ).toEqual([
    [0, 0, 'executed', undefined],
    [1, 0, 'failed', '{"InstructionError":[0,{"Custom":1}]}'],
    [1, 1, 'rejected', 'truncated'],
    [1, 2, 'failed', 'Transaction simulation failed: SignatureFailure'],
    [2, 0, 'failed', 'Transaction simulation failed: AccountNotFound'],
    [3, 0, 'rejected', 'denied program'],
  ])
  expect(outcome.results[0]!.computeUnits).toBe(150)
  expect(outcome.signatures.length).toBe(2)
  expect(outcome.unspentWei).toBe(7n * GWEI)
  expect(outcome.writes).toEqual([])
  expect(server.lamports(bob.publicKey.toBytes())).toBe(SOL)

  // Run once more, as after a crash: the cluster knows the signature, and nothing moves twice.
  const again = await executor.execute(block, envelopes, [0])
  expect(again.results[0]).toMatchObject({ status: 'executed', computeUnits: 150 })
  expect(server.lamports(bob.publicKey.toBytes())).toBe(SOL)
  executor.close()
})

test('refuses blocks that nobody called finalized, and any undo', async () => {
  await using server = await LiteSvmRpcServer.start()
  const executor = createRpcExecutor({ url: server.url }, { logger })
  expect(executor.reversible).toBe(false)
  const block = blockOf(refOf(1n), refOf(0n), [])
  await expect(executor.execute(block, new Map(), [])).rejects.toMatchObject({ code: 'SVM_NOT_FINALIZED' })
  expect(() => executor.undo([{ block: refOf(1n), writes: [] }], refOf(0n))).toThrow(
    expect.objectContaining({ code: 'SVM_NOT_FINALIZED' }),
  )
  expect(executor.account(alice.publicKey.toBytes())).toBeUndefined()
  executor.close()
})

test('a cluster that does not answer is an error of the stream, not an outcome', async () => {
  const server = await LiteSvmRpcServer.start()
  const { url } = server
  await server[Symbol.asyncDispose]()
  const executor = createRpcExecutor({ url, finalized: true }, { logger })
  const block = blockOf(refOf(2n), refOf(1n), [call(transfer(alice, bob.publicKey, 1n, hashOf(1n)))])
  await expect(executor.execute(block, readEnvelopes(block, { router }), [0])).rejects.toThrow(
    /fetch failed|ECONNREFUSED/,
  )
  executor.close()
})

test('base58 is what web3.js has, both ways', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(32), (bytes, zeros) => {
      bytes.fill(0, 0, zeros)
      const text = new PublicKey(bytes).toBase58()
      expect(encodeBase58(bytes)).toBe(text)
      expect(decodeBase58(text)).toEqual(bytes)
    }),
  )
  for (const text of ['', '0', '1'.repeat(31), '1'.repeat(33), 'z'.repeat(45)]) {
    expect(() => decodeBase58(text), text).toThrow(expect.objectContaining({ code: 'SVM_BASE58' }))
  }
})
