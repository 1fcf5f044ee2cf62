import {
  PublicKey,
  SystemInstruction,
  Transaction,
  VersionedMessage,
  VersionedTransaction,
} from '@solana/web3.js'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../../../harness/random.ts'
import {
  createSvmTraffic,
  type EnvelopeCall,
  type SvmTrafficKind,
  svmTrafficKinds,
} from '../../../../harness/svm/createSvmTraffic.ts'

const recent = Array.from({ length: 40 }, (_, index) => new Uint8Array(32).fill(index + 1))

const someTraffic = (count: number, seed = 1): EnvelopeCall[] => {
  const traffic = createSvmTraffic(seed)
  const random = createRandom(seed, 'test')
  return Array.from({ length: count }, () => traffic.next(random, recent))
}
const calls = someTraffic(1500)
const first = (kind: SvmTrafficKind): EnvelopeCall => calls.find((call) => call.kind === kind)!
const payload = (kind: SvmTrafficKind): Buffer => Buffer.from(first(kind).data.subarray(3))

/** The batch's items, read independently of how they were written. */
const batchItems = (bytes: Buffer): Buffer[] => {
  let at = 1
  const length = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const items = Array.from({ length: length() }, () => {
    const size = length()
    at += size
    return bytes.subarray(at - size, at)
  })
  expect(at).toBe(bytes.length)
  return items
}

describe('createSvmTraffic', () => {
  test('is the same for the same seed', () => {
    expect(someTraffic(80)).toEqual(calls.slice(0, 80))
    expect(someTraffic(20, 2)).not.toEqual(calls.slice(0, 20))
  })

  test('makes every kind there is', () => {
    expect(new Set(calls.map(({ kind }) => kind))).toEqual(new Set(svmTrafficKinds))
    expect(calls.every(({ data }) => Buffer.from(data.subarray(0, 3)).toString() === 'SVM')).toBe(true)
  })

  test('funds the world before it uses it', () => {
    const kinds = calls.slice(0, 17).map(({ kind }) => kind)
    expect(kinds).toEqual([
      ...Array.from({ length: 8 }, () => 'deposit'),
      'createMint',
      ...Array.from({ length: 8 }, () => 'createTokenAccount'),
    ])
  })

  test('makes only deposits while there is no block to sign on', () => {
    const traffic = createSvmTraffic(1)
    const random = createRandom(1, 'test')
    const kinds = Array.from({ length: 12 }, () => traffic.next(random, []).kind)
    expect(new Set(kinds)).toEqual(new Set(['deposit']))
    expect(traffic.next(random, recent).kind).toBe('createMint')
  })

  test('goes on from a state as it would have', () => {
    const traffic = createSvmTraffic(1)
    for (let at = 0; at < 30; at++) traffic.next(createRandom(1, `${at}`), recent)
    const state = traffic.state()
    const after = [1, 2, 3].map((at) => traffic.next(createRandom(1, `then ${at}`), recent))
    const restored = createSvmTraffic(1)
    restored.restore(state)
    expect([1, 2, 3].map((at) => restored.next(createRandom(1, `then ${at}`), recent))).toEqual(after)
  })

  test.each([
    'systemTransfer',
    'tokenTransfer',
    'memo',
    'mintTokens',
    'createMint',
    'createTokenAccount',
    'createAccount',
  ] as const)('%s is a transaction whose signatures web3.js verifies, on a recent hash', (kind) => {
    const transaction = Transaction.from(payload(kind))
    expect(transaction.verifySignatures()).toBe(true)
    const { youngestHash } = first(kind)
    expect(new PublicKey(transaction.recentBlockhash!).toBytes()).toEqual(
      recent[recent.length - 1 - youngestHash!],
    )
  })

  test('json and base64 carry the same as the wire form', () => {
    const { transaction } = JSON.parse(payload('json').toString()) as { transaction: string }
    expect(Transaction.from(Buffer.from(transaction, 'base64')).verifySignatures()).toBe(true)
    expect(Transaction.from(Buffer.from(payload('base64').toString(), 'base64')).verifySignatures()).toBe(
      true,
    )
  })

  test('a batch carries several transactions', () => {
    const items = batchItems(payload('batch'))
    expect(items.length).toBeGreaterThan(1)
    for (const item of items) expect(Transaction.from(item).instructions.length).toBe(2)
  })

  test('bad ones are bad in the way their name says', () => {
    expect(Transaction.from(payload('wrongSignature')).verifySignatures()).toBe(false)
    for (const { data } of calls.filter(({ kind }) => kind === 'truncated')) {
      const size = data.length - 3
      expect(() => {
        const whole = Transaction.from(Buffer.from(data.subarray(3))).serialize({ verifySignatures: false })
        if (whole.length > size) throw new Error('read past the end')
      }, `truncated to ${size}`).toThrow()
    }
    const trailing = payload('trailingBytes')
    expect(Buffer.from(Transaction.from(trailing).serialize()).length).toBeLessThan(trailing.length)
    const stale = Transaction.from(payload('staleBlockhash'))
    expect(stale.verifySignatures()).toBe(true)
    expect(recent).not.toContainEqual(new PublicKey(stale.recentBlockhash!).toBytes())
    const version = VersionedMessage.deserializeMessageVersion(payload('unknownVersion').subarray(65))
    expect(version).toBeGreaterThan(0)
    const lookup = VersionedTransaction.deserialize(payload('lookupTable'))
    expect(lookup.message.addressTableLookups).toHaveLength(1)
    const nonce = Transaction.from(payload('durableNonce')).instructions[0]!
    expect(SystemInstruction.decodeInstructionType(nonce)).toBe('AdvanceNonceAccount')
    const deployment = Transaction.from(payload('programDeployment'))
    expect(deployment.verifySignatures()).toBe(true)
    expect(SystemInstruction.decodeCreateAccount(deployment.instructions[0]!).programId.toBase58()).toBe(
      'BPFLoaderUpgradeab1e11111111111111111111111',
    )
    expect(payload('tooLarge').length).toBeGreaterThan(1232)
    expect(payload('empty')).toHaveLength(0)
    expect(payload('missingPublicKey').length).toBeLessThan(33)
    expect(payload('unknownEncoding')[0]).toBe(0xff)
  })

  test('no two transactions are the same, but for duplicates', () => {
    const seen = new Set<string>()
    for (const { kind, data } of calls) {
      if (kind !== 'systemTransfer' && kind !== 'tokenTransfer' && kind !== 'memo') continue
      const text = Buffer.from(data).toString('hex')
      expect(seen.has(text), kind).toBe(false)
      seen.add(text)
    }
    const at = calls.findIndex(({ kind }) => kind === 'duplicate')
    const before = calls.slice(0, at).map(({ data }) => Buffer.from(data).toString('hex'))
    expect(before).toContain(Buffer.from(calls[at]!.data).toString('hex'))
  })
})
