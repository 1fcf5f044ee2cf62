import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeAccount } from '../../../sidecar/svm/accountValue.ts'
import {
  addLattice,
  createLatticeHasher,
  emptyLattice,
  LATTICE_BYTES,
  type Lattice,
  latticeBytes,
  latticeFromBytes,
  subtractLattice,
} from '../../../sidecar/svm/latticeHash.ts'

const shared = process.env.MONMOUTH_SHARED ?? join(import.meta.dirname, '../../../../shared')
const vectorsFile = join(shared, 'data/svm/lthash-vectors.json')
const hasher = await createLatticeHasher()

const anyLattice = fc
  .uint8Array({ minLength: LATTICE_BYTES, maxLength: LATTICE_BYTES })
  .map((bytes) => latticeFromBytes(bytes))
const copyOf = (lattice: Lattice): Lattice => latticeFromBytes(latticeBytes(lattice))
const sum = (...parts: Lattice[]): Lattice => {
  const total = emptyLattice()
  for (const part of parts) addLattice(total, part)
  return total
}

type Vector = {
  name: string
  lt_hash_u16_hex: string[]
  lt_hash_le_base64: string
  checksum_hex: string
}

test.skipIf(!existsSync(vectorsFile))('gives the published vectors', () => {
  const { vectors } = JSON.parse(readFileSync(vectorsFile, 'utf8')) as { vectors: Vector[] }
  const hello = hasher.of(Buffer.from('hello'))
  const world = hasher.of(Buffer.from('world!'))
  const difference = copyOf(hello)
  subtractLattice(difference, world)
  const computed: Record<string, Lattice> = {
    hello,
    world,
    identity: emptyLattice(),
    'hello+world': sum(hello, world),
    'hello-world': difference,
  }
  expect(vectors.map(({ name }) => name).sort()).toEqual(Object.keys(computed).sort())
  for (const vector of vectors) {
    const lattice = computed[vector.name]!
    const lanes = new Uint16Array(lattice.buffer)
    expect(
      [...lanes].map((lane) => `0x${lane.toString(16).padStart(4, '0')}`),
      vector.name,
    ).toEqual(vector.lt_hash_u16_hex)
    expect(Buffer.from(latticeBytes(lattice)).toString('base64'), vector.name).toBe(vector.lt_hash_le_base64)
    expect(Buffer.from(hasher.checksum(lattice)).toString('hex'), vector.name).toBe(vector.checksum_hex)
  }
})

test('adds and subtracts lane by lane, as 1024 numbers modulo 65536', () => {
  fc.assert(
    fc.property(anyLattice, anyLattice, (a, b) => {
      const lanes = (lattice: Lattice): Uint16Array => new Uint16Array(lattice.buffer)
      const difference = copyOf(a)
      subtractLattice(difference, b)
      const added = Uint16Array.from(lanes(a), (lane, index) => lane + lanes(b)[index]!)
      const subtracted = Uint16Array.from(lanes(a), (lane, index) => lane - lanes(b)[index]!)
      expect(Buffer.compare(Buffer.from(sum(a, b).buffer), Buffer.from(added.buffer))).toBe(0)
      expect(Buffer.compare(Buffer.from(difference.buffer), Buffer.from(subtracted.buffer))).toBe(0)
    }),
  )
})

test('does not depend on order, and what is taken out leaves no trace', () => {
  fc.assert(
    fc.property(anyLattice, anyLattice, anyLattice, (a, b, c) => {
      const total = sum(a, b, c)
      expect(sum(c, a, b)).toEqual(total)
      subtractLattice(total, b)
      expect(total).toEqual(sum(c, a))
    }),
    { numRuns: 50 },
  )
})

test('hashes an account as lamports, data, executable, owner, key; not its rent epoch', () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const account = fc.record({
    lamports: fc.bigInt(1n, 2n ** 64n - 1n),
    rentEpoch: fc.bigInt(0n, 2n ** 64n - 1n),
    executable: fc.boolean(),
    owner: key,
    // Beyond the first scratch buffer, and back.
    data: fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constant(new Uint8Array(9000).fill(5))),
  })
  fc.assert(
    fc.property(key, account, (pubkey, value) => {
      const lamports = Buffer.alloc(8)
      lamports.writeBigUInt64LE(value.lamports)
      const input = Buffer.concat([
        lamports,
        value.data,
        Buffer.of(value.executable ? 1 : 0),
        value.owner,
        pubkey,
      ])
      expect(hasher.ofAccount(pubkey, encodeAccount(value))).toEqual(hasher.of(input))
    }),
  )
})
