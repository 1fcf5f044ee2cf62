import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { createBLAKE3 } from 'hash-wasm'
import { expect, test } from 'vitest'
import { encodeAccount } from '../../../sidecar/svm/accountValue.ts'
import { createLatticeHash, LATTICE_BYTES } from '../../../sidecar/svm/latticeHash.ts'

const shared = process.env.MONMOUTH_SHARED ?? join(import.meta.dirname, '../../../../shared')
const vectorsFile = join(shared, 'data/svm/lthash-vectors.json')
const lattice = await createLatticeHash()
const library = await createBLAKE3(LATTICE_BYTES * 8)

const blake3 = (bytes: Uint8Array): Uint8Array => {
  library.init()
  library.update(bytes)
  return library.digest('binary')
}
/** The lattice of nothing after these steps. */
const after = (...steps: (() => void)[]): Uint8Array => {
  lattice.reset()
  for (const step of steps) step()
  return lattice.bytes()
}
const lanesOf = (bytes: Uint8Array): Uint16Array => new Uint16Array(new Uint8Array(bytes).buffer)
const member = fc.uint8Array({ maxLength: 300 })
const anyLattice = fc.uint8Array({ minLength: LATTICE_BYTES, maxLength: LATTICE_BYTES })

type Vector = { name: string; lt_hash_u16_hex: string[]; lt_hash_le_base64: string; checksum_hex: string }

test.skipIf(!existsSync(vectorsFile))('gives the published vectors', () => {
  const { vectors } = JSON.parse(readFileSync(vectorsFile, 'utf8')) as { vectors: Vector[] }
  const hello = Buffer.from('hello')
  const world = Buffer.from('world!')
  const steps: Record<string, (() => void)[]> = {
    hello: [() => lattice.add(hello)],
    world: [() => lattice.add(world)],
    identity: [],
    'hello+world': [() => lattice.add(hello), () => lattice.add(world)],
    'hello-world': [() => lattice.add(hello), () => lattice.subtract(world)],
  }
  expect(vectors.map(({ name }) => name).sort()).toEqual(Object.keys(steps).sort())
  for (const vector of vectors) {
    const bytes = after(...steps[vector.name]!)
    const lanes = [...lanesOf(bytes)].map((lane) => `0x${lane.toString(16).padStart(4, '0')}`)
    expect(lanes, vector.name).toEqual(vector.lt_hash_u16_hex)
    expect(Buffer.from(bytes).toString('base64'), vector.name).toBe(vector.lt_hash_le_base64)
    expect(Buffer.from(lattice.checksum()).toString('hex'), vector.name).toBe(vector.checksum_hex)
  }
})

test('hashes as the library does, at every length around a block and a chunk', () => {
  const lengths = [0, 1, 63, 64, 65, 127, 128, 129, 960, 1023, 1024, 1025, 2048, 5000]
  for (const length of lengths) {
    // A longer one before it: nothing of it may be left in the input.
    const bytes = Uint8Array.from({ length }, (_, index) => index * 31 + length)
    lattice.add(new Uint8Array(1024).fill(0xee))
    expect(
      after(() => lattice.add(bytes)),
      `${length} bytes`,
    ).toEqual(blake3(bytes))
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1100 }), (bytes) => {
      expect(after(() => lattice.add(bytes))).toEqual(blake3(bytes))
    }),
  )
})

test('adds and subtracts lane by lane, as 1024 numbers modulo 65536', () => {
  fc.assert(
    fc.property(anyLattice, member, (start, bytes) => {
      const [lanes, others] = [lanesOf(start), lanesOf(blake3(bytes))]
      const added = Uint16Array.from(lanes, (lane, index) => lane + others[index]!)
      const subtracted = Uint16Array.from(lanes, (lane, index) => lane - others[index]!)
      lattice.reset(start)
      lattice.add(bytes)
      expect(lanesOf(lattice.bytes())).toEqual(added)
      lattice.reset(start)
      lattice.subtract(bytes)
      expect(lanesOf(lattice.bytes())).toEqual(subtracted)
    }),
    { numRuns: 30 },
  )
})

test('does not depend on order, and what is taken out leaves no trace', () => {
  fc.assert(
    fc.property(member, member, member, (a, b, c) => {
      const [addA, addB, addC] = [a, b, c].map((each) => () => lattice.add(each)) as [
        () => void,
        () => void,
        () => void,
      ]
      expect(after(addC, addA, addB)).toEqual(after(addA, addB, addC))
      expect(after(addA, addB, addC, () => lattice.subtract(b))).toEqual(after(addC, addA))
    }),
    { numRuns: 30 },
  )
})

test('hashes an account as lamports, data, executable, owner, key; not its rent epoch', () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const account = fc.record({
    lamports: fc.bigInt(1n, 2n ** 64n - 1n),
    rentEpoch: fc.bigInt(0n, 2n ** 64n - 1n),
    executable: fc.boolean(),
    owner: key,
    // 951 bytes of data fill one chunk; the last does not fit the first buffer for long ones.
    data: fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(951, 952, 9000, 40_000).map((length) => new Uint8Array(length).fill(5)),
    ),
  })
  fc.assert(
    fc.property(key, account, (pubkey, value) => {
      const lamports = Buffer.alloc(8)
      lamports.writeBigUInt64LE(value.lamports)
      const executable = Buffer.of(value.executable ? 1 : 0)
      const input = Buffer.concat([lamports, value.data, executable, value.owner, pubkey])
      expect(after(() => lattice.addAccount(pubkey, encodeAccount(value)))).toEqual(blake3(input))
      lattice.subtractAccount(pubkey, encodeAccount(value))
      expect(lattice.bytes()).toEqual(new Uint8Array(LATTICE_BYTES))
    }),
    { numRuns: 60 },
  )
})
