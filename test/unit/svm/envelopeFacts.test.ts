import { PublicKey, SystemProgram } from '@solana/web3.js'
import { expect, test } from 'vitest'
import { envelopeFacts } from '../../../sidecar/svm/envelopeFacts.ts'
import { parsePayload } from '../../../sidecar/svm/parsePayload.ts'
import { batch, deposit, GWEI, hashOf, keypair, setComputeUnits, signed, transfer } from './svmBlocks.ts'

const [alice, bob] = [keypair(1), keypair(2)]
const memo = {
  programId: new PublicKey('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'),
  keys: [],
  data: Buffer.from('hey'),
}
const pay = SystemProgram.transfer({ fromPubkey: bob.publicKey, toPubkey: alice.publicKey, lamports: 1 })
const factsOf = (bytes: Uint8Array) => envelopeFacts(parsePayload(bytes, 0n))

test('tells who pays, what it asks for and how much it calls', () => {
  const bytes = signed(hashOf(1n), [bob], [setComputeUnits(12_345), memo, pay])
  expect(factsOf(bytes)).toMatchObject({
    payer: bob.publicKey.toBytes(),
    computeUnitLimit: 12_345,
    instructions: 2,
  })
})

test('of a batch the first transaction that is well formed counts', () => {
  const facts = factsOf(
    batch([
      Uint8Array.of(1),
      signed(hashOf(1n), [bob], [pay]),
      transfer(alice, bob.publicKey, 1, hashOf(1n)),
    ]),
  )
  expect(facts).toMatchObject({ items: 3, payer: bob.publicKey.toBytes(), instructions: 1 })
})

test('what is not asked for, or cannot be known, is left out', () => {
  expect(factsOf(transfer(alice, bob.publicKey, 5, hashOf(1n)))).not.toHaveProperty('computeUnitLimit')
  const unreadable = [
    envelopeFacts(parsePayload(deposit(bob.publicKey, 1n).input.subarray(3), GWEI)),
    factsOf(Uint8Array.of(0)),
    factsOf(batch([Uint8Array.of(1)])),
  ]
  for (const facts of unreadable) {
    for (const name of ['payer', 'computeUnitLimit', 'instructions']) expect(facts).not.toHaveProperty(name)
  }
})

test('an instruction to the budget that is too short sets no limit', () => {
  const short = { ...setComputeUnits(1), data: Buffer.of(2, 1, 0) }
  const facts = factsOf(signed(hashOf(1n), [bob], [short, pay]))
  expect(facts).not.toHaveProperty('computeUnitLimit')
  expect(facts.instructions).toBe(1)
})
