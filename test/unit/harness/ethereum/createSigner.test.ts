import fc from 'fast-check'
import { bytesToHex, type Hex, keccak256, parseTransaction, recoverTransactionAddress, toBytes } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { expect, test } from 'vitest'
import { createSigner } from '../../../../harness/ethereum/createSigner.ts'
import { createKeccak256 } from '../../../../harness/ethereum/keccak256.ts'

const bytes = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max })
const hasher = await createKeccak256()

test('signs what viem parses, hashes and recovers to the same account', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        key: bytes(32, 32).filter((key) => key[0]! < 0xff && key.some((byte) => byte !== 0)),
        nonce: fc.bigInt(0n, 2n ** 40n),
        to: fc.option(bytes(20, 20), { nil: undefined }),
        value: fc.bigInt(0n, 2n ** 90n),
        data: bytes(0, 400),
        gasLimit: fc.bigInt(21_000n, 30_000_000n),
        maxFeePerGas: fc.bigInt(1n, 2n ** 50n),
      }),
      async ({ key, ...fields }) => {
        const signer = createSigner(key, 31337n, hasher)
        const { raw, hash } = signer.sign({ ...fields, maxPriorityFeePerGas: 1n })
        const serialized = bytesToHex(raw) as `0x02${string}`
        const parsed = parseTransaction(serialized)
        expect(parsed.nonce ?? 0).toBe(Number(fields.nonce))
        expect(parsed.value ?? 0n).toBe(fields.value)
        expect(parsed.to?.toLowerCase() ?? null).toBe(fields.to === undefined ? null : bytesToHex(fields.to))
        expect(parsed.data ?? '0x').toBe(bytesToHex(fields.data))
        expect(parsed.maxFeePerGas).toBe(fields.maxFeePerGas)
        expect(bytesToHex(hash)).toBe(keccak256(raw))
        const address = privateKeyToAddress(bytesToHex(key) as Hex)
        expect(bytesToHex(signer.address)).toBe(address.toLowerCase())
        expect(await recoverTransactionAddress({ serializedTransaction: serialized })).toBe(address)
      },
    ),
    { numRuns: 25 },
  )
})

test('signs the same bytes every time', () => {
  const signer = () => createSigner(toBytes(`0x${'11'.repeat(32)}`), 1n, hasher)
  const transaction = {
    nonce: 0n,
    to: undefined,
    value: 0n,
    data: new Uint8Array(0),
    gasLimit: 21_000n,
    maxFeePerGas: 1n,
    maxPriorityFeePerGas: 1n,
  }
  expect(signer().sign(transaction)).toEqual(signer().sign(transaction))
})
