import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  AddressLookupTableAccount,
  PublicKey,
  SystemProgram,
  Transaction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CONTRACT_CREATION, EvmStatus } from '../../../sidecar/notification/types.ts'
import { decodeTransaction } from '../../../sidecar/svm/decodeTransaction.ts'
import { DEPOSIT_PATTERN, envelopeFacts, NOTHING_PATTERN } from '../../../sidecar/svm/envelopeFacts.ts'
import { parsePayload } from '../../../sidecar/svm/parsePayload.ts'
import { readEnvelopes } from '../../../sidecar/svm/readEnvelopes.ts'
import { type Envelope, rejectReasons, type SolanaTransaction } from '../../../sidecar/svm/types.ts'
import {
  batch,
  blockOf,
  call,
  compactU16,
  deposit,
  envelope,
  GWEI,
  hashOf,
  keypair,
  refOf,
  router,
  setComputeUnits,
  signed,
  transfer,
} from './svmBlocks.ts'

const shared = process.env.MONMOUTH_SHARED ?? join(import.meta.dirname, '../../../../shared')
const devnetBlock = join(shared, 'data/svm/devnet-block-base64.json')
const alice = keypair(1)
const bob = keypair(2)
const plain = transfer(alice, bob.publicKey, 5, hashOf(1n))

const kindOf = (payload: Uint8Array): string => {
  const parsed = parsePayload(payload, 0n)
  return parsed.kind === 'rejected' ? parsed.reason : parsed.kind
}
const transactionOf = (parsed: Envelope): SolanaTransaction => {
  const item = parsed.kind === 'transactions' ? parsed.items[0] : undefined
  if (item === undefined || 'rejected' in item) throw new Error(`no transaction: ${JSON.stringify(parsed)}`)
  return item
}
const versioned = (lookup?: AddressLookupTableAccount): Uint8Array => {
  const message = new TransactionMessage({
    payerKey: alice.publicKey,
    recentBlockhash: new PublicKey(new Uint8Array(32).fill(9)).toBase58(),
    instructions: [
      SystemProgram.transfer({ fromPubkey: alice.publicKey, toPubkey: bob.publicKey, lamports: 1 }),
    ],
  }).compileToV0Message(lookup === undefined ? [] : [lookup])
  const transaction = new VersionedTransaction(message)
  transaction.sign([alice])
  return transaction.serialize()
}

/** What web3.js reads from the same bytes, in our shape. */
function asWeb3Reads(bytes: Uint8Array): object {
  const { signatures, message } = VersionedTransaction.deserialize(bytes)
  const keys = message.staticAccountKeys
  return {
    version: message.version,
    signatures: signatures.map((each) => Buffer.from(each).toString('hex')),
    keys: keys.map((key) => Buffer.from(key.toBytes()).toString('hex')),
    writable: keys.filter((_, index) => message.isAccountWritable(index)).map((key) => key.toString()),
    blockhash: message.recentBlockhash,
    instructions: message.compiledInstructions.map(({ programIdIndex, data }) => ({
      program: keys[programIdIndex]?.toString(),
      data: Buffer.from(data).toString('hex'),
    })),
  }
}
function asWeRead(transaction: SolanaTransaction): object {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  return {
    version: transaction.version,
    signatures: transaction.signatures.map(hex),
    keys: transaction.accountKeys.map(hex),
    writable: transaction.writableKeys.map((key) => new PublicKey(key).toString()),
    blockhash: new PublicKey(transaction.recentBlockhash).toBase58(),
    instructions: transaction.instructions.map(({ programId, data }) => ({
      program: new PublicKey(programId).toString(),
      data: hex(data),
    })),
  }
}

describe('readEnvelopes', () => {
  test('finds successful calls to the router that start with SVM, and nothing else', () => {
    const good = call(plain)
    const calls = [
      { input: new Uint8Array(0) },
      good,
      { ...good, to: '0x000000000000000000000000000000000053564e' as const },
      { ...good, to: '0x100000000000000000000000000000000053564d' as const },
      { ...good, status: EvmStatus.failed },
      { ...good, status: EvmStatus.unknown },
      { ...good, kind: 2 | CONTRACT_CREATION },
      { input: Uint8Array.of(0x53, 0x56) },
      { input: Uint8Array.of(0x53, 0x56, 0x4e, 1) },
      { input: envelope(new Uint8Array(0)), value: 7n },
      deposit(bob.publicKey, 3n, 5n),
    ]
    const found = readEnvelopes(blockOf(refOf(2n), refOf(1n), calls), { router })
    expect([...found.keys()]).toEqual([1, 9, 10])
    expect(transactionOf(found.get(1)!).bytes).toEqual(plain)
    expect(found.get(9)).toEqual({ kind: 'rejected', reason: 'empty', payloadBytes: 0, unspentWei: 7n })
    expect(found.get(10)).toMatchObject({ kind: 'deposit', lamports: 3n, unspentWei: 5n, payloadBytes: 33 })
  })
})

describe('parsePayload', () => {
  test('reads raw bytes, a batch, JSON and base64 to the same transaction', () => {
    const base64 = Buffer.from(plain).toString('base64')
    const json = Buffer.from(JSON.stringify({ transaction: base64 }))
    for (const payload of [plain, batch([plain]), json, Buffer.from(base64)]) {
      const parsed = parsePayload(payload, 12n)
      expect(asWeRead(transactionOf(parsed)), `first byte ${payload[0]}`).toEqual(asWeb3Reads(plain))
      expect(parsed.unspentWei).toBe(12n)
      expect(parsed.payloadBytes).toBe(payload.length)
    }
  })

  test('a batch keeps its good items beside its bad ones', () => {
    const parsed = parsePayload(batch([plain, plain.subarray(0, 50), versioned(), new Uint8Array(0)]), 0n)
    const seen = parsed.kind === 'transactions' ? parsed.items : []
    expect(seen.map((item) => ('rejected' in item ? item.rejected : item.version))).toEqual([
      'legacy',
      'truncated',
      0,
      'empty',
    ])
  })

  test.each<[string, Uint8Array]>([
    ['empty', new Uint8Array(0)],
    ['unknown encoding', Uint8Array.of(0)],
    ['unknown encoding', Uint8Array.of(20, 1, 2)],
    ['unknown encoding', Uint8Array.of(0x82)],
    ['unknown encoding', Uint8Array.of(0xff)],
    ['truncated', plain.subarray(0, plain.length - 1)],
    ['truncated', Uint8Array.of(1)],
    ['trailing bytes', Uint8Array.from([...plain, 0])],
    ['too large', Uint8Array.from([1, ...new Uint8Array(1232)])],
    ['truncated', Uint8Array.of(0x80)],
    ['empty', Uint8Array.of(0x80, 0)],
    ['malformed', Uint8Array.of(0x80, 0x80, 0)],
    ['truncated', batch([plain]).subarray(0, 100)],
    ['trailing bytes', Uint8Array.from([...batch([plain]), 1])],
    ['missing public key', Uint8Array.of(0x81)],
    ['truncated', Uint8Array.from([0x81, ...new Uint8Array(31)])],
    ['trailing bytes', Uint8Array.from([0x81, ...new Uint8Array(33)])],
    ['malformed', Buffer.from('{')],
    ['malformed', Buffer.from('{"transaction":1}')],
    ['malformed', Buffer.from('{"tx":"AA=="}')],
    ['malformed', Buffer.from('A A=')],
    ['malformed', Buffer.from('AAA')],
    ['too large', Buffer.from('A'.repeat(4000))],
    ['too large', Buffer.from(`{"transaction":"${'A'.repeat(4000)}"}`)],
    [
      'address lookup table',
      versioned(
        new AddressLookupTableAccount({
          key: keypair(9).publicKey,
          state: {
            deactivationSlot: 2n ** 64n - 1n,
            lastExtendedSlot: 0,
            lastExtendedSlotStartIndex: 0,
            addresses: [bob.publicKey],
          },
        }),
      ),
    ],
  ])('rejects as %s (case %#)', (reason, payload) => {
    expect(kindOf(payload)).toBe(reason)
  })

  test('rejects a transaction whose header, indexes or keys do not fit', () => {
    const at = (offset: number, ...bytes: number[]): Uint8Array => {
      const changed = Uint8Array.from(plain)
      changed.set(bytes, offset)
      return changed
    }
    // 1 + 64 bytes of signature, then the header.
    const header = 65
    expect(kindOf(at(header, 0x81)), 'version 1').toBe('unknown version')
    expect(kindOf(at(header, 2)), 'two signers, one signature').toBe('malformed')
    expect(kindOf(at(header + 1, 1)), 'a payer that is read-only').toBe('malformed')
    expect(kindOf(at(header + 2, 3)), 'more read-only keys than keys').toBe('malformed')
    const firstKey = header + 4
    expect(kindOf(at(firstKey + 32, ...plain.subarray(firstKey, firstKey + 32))), 'one key twice').toBe(
      'malformed',
    )
    const program = firstKey + 3 * 32 + 32 + 1
    expect(plain[program]).toBe(2)
    expect(kindOf(at(program, 3)), 'program beyond the keys').toBe('malformed')
    expect(kindOf(at(program, 0)), 'the payer as program').toBe('malformed')
    expect(kindOf(at(program + 2, 3)), 'account beyond the keys').toBe('malformed')
  })

  test('credits whole gwei of a deposit, at most what 64 bits hold', () => {
    const most = 2n ** 64n - 1n
    const payload = Uint8Array.from([0x81, ...bob.publicKey.toBytes()])
    expect(parsePayload(payload, 0n)).toMatchObject({ lamports: 0n, unspentWei: 0n })
    expect(parsePayload(payload, GWEI - 1n)).toMatchObject({ lamports: 0n, unspentWei: GWEI - 1n })
    expect(parsePayload(payload, 3n * GWEI + 2n)).toMatchObject({ lamports: 3n, unspentWei: 2n })
    const all = 2n ** 256n - 1n
    expect(parsePayload(payload, all)).toMatchObject({ lamports: most, unspentWei: all - most * GWEI })
  })

  test('never throws, and every reason is of the list', () => {
    const near = fc
      .tuple(
        fc.constantFrom(plain, batch([plain, plain]), versioned()),
        fc.array(fc.tuple(fc.nat(), fc.nat(255))),
      )
      .map(([bytes, changes]) => {
        const changed = Uint8Array.from(bytes)
        for (const [offset, byte] of changes) changed[offset % changed.length] = byte
        return changed
      })
    const leading = fc
      .tuple(fc.constantFrom(1, 2, 19, 0x80, 0x81, 0x7b, 0x41), fc.uint8Array({ maxLength: 1400 }))
      .map(([first, rest]) => Uint8Array.from([first, ...rest]))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 1400 }), leading, near), (payload) => {
        const parsed = parsePayload(payload, 1n)
        const facts = envelopeFacts(parsed)
        expect(facts.pattern.length).toBe(24)
        if (parsed.kind === 'rejected') expect(rejectReasons).toContain(parsed.reason)
        if (parsed.kind === 'transactions') {
          for (const item of parsed.items) {
            if ('rejected' in item) expect(rejectReasons).toContain(item.rejected)
            // What we take, the stock library takes and reads alike.
            else expect(asWeRead(item)).toEqual(asWeb3Reads(item.bytes))
          }
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('reads what web3.js writes', () => {
    const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new PublicKey(bytes))
    const instruction = fc.record({
      programId: key,
      data: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
      keys: fc.array(fc.record({ pubkey: key, isSigner: fc.constant(false), isWritable: fc.boolean() }), {
        maxLength: 6,
      }),
    })
    fc.assert(
      fc.property(fc.array(instruction, { maxLength: 3 }), fc.boolean(), (instructions, legacy) => {
        const recentBlockhash = new PublicKey(new Uint8Array(32).fill(3)).toBase58()
        const message = new TransactionMessage({ payerKey: alice.publicKey, recentBlockhash, instructions })
        const transaction = new VersionedTransaction(
          legacy ? message.compileToLegacyMessage() : message.compileToV0Message(),
        )
        const bytes = transaction.serialize()
        const decoded = decodeTransaction(bytes)
        if ('rejected' in decoded) throw new Error(decoded.rejected)
        expect(asWeRead(decoded)).toEqual(asWeb3Reads(bytes))
      }),
    )
  })

  test.skipIf(!existsSync(devnetBlock))('reads 25 transactions of a real block as web3.js does', () => {
    const { result } = JSON.parse(readFileSync(devnetBlock, 'utf8')) as {
      result: { transactions: { transaction: [string, string] }[] }
    }
    expect(result.transactions.length).toBe(25)
    for (const { transaction } of result.transactions) {
      const bytes = new Uint8Array(Buffer.from(transaction[0], 'base64'))
      const decoded = decodeTransaction(bytes)
      if ('rejected' in decoded) throw new Error(decoded.rejected)
      expect(asWeRead(decoded)).toEqual(asWeb3Reads(bytes))
      expect(Buffer.from(decoded.message)).toEqual(Transaction.from(bytes).serializeMessage())
    }
  })
})

describe('envelopeFacts', () => {
  test('names the first program that is not the compute budget, and the first four bytes for it', () => {
    const memo = new PublicKey('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr')
    const bytes = signed(
      hashOf(1n),
      [alice],
      [
        setComputeUnits(1000),
        { programId: memo, keys: [], data: Buffer.from('hey') },
        SystemProgram.transfer({ fromPubkey: alice.publicKey, toPubkey: bob.publicKey, lamports: 1 }),
      ],
    )
    const facts = envelopeFacts(parsePayload(bytes, 0n))
    expect(facts).toMatchObject({
      kind: 'transactions',
      rejected: undefined,
      items: 1,
      payloadBytes: bytes.length,
    })
    expect(facts.pattern).toEqual(Uint8Array.from([...memo.toBytes().subarray(12), ...Buffer.from('hey\0')]))
    expect(facts.programs.map((program) => new PublicKey(program).toBase58()).sort()).toEqual(
      [
        'ComputeBudget111111111111111111111111111111',
        memo.toBase58(),
        SystemProgram.programId.toBase58(),
      ].sort(),
    )
  })

  test('has a pattern of its own for deposits and for what cannot run', () => {
    expect(envelopeFacts(parsePayload(deposit(bob.publicKey, 1n).input.subarray(3), GWEI))).toMatchObject({
      kind: 'deposit',
      rejected: undefined,
      pattern: DEPOSIT_PATTERN,
      items: 1,
    })
    expect(envelopeFacts(parsePayload(Uint8Array.of(0), 0n))).toMatchObject({
      kind: 'rejected',
      rejected: 'unknown encoding',
      pattern: NOTHING_PATTERN,
      items: 0,
    })
    expect(envelopeFacts(parsePayload(batch([Uint8Array.of(1)]), 0n))).toMatchObject({
      kind: 'transactions',
      rejected: 'truncated',
      items: 1,
    })
  })
})

test('compact-u16 is read in its shortest form only', () => {
  const read = (bytes: number[]): string => kindOf(Uint8Array.from([0x80, ...bytes]))
  for (const value of [1, 127, 128, 16383, 16384, 65535]) {
    expect(read(compactU16(value)), `${value}`).toBe('truncated')
  }
  for (const bytes of [
    [0x80, 0x00],
    [0xff, 0xff, 0x04],
    [0x80, 0x80, 0x00],
  ]) {
    expect(read(bytes), `${bytes}`).toBe('malformed')
  }
})
