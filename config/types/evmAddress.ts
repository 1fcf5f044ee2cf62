import type { Address } from 'viem'
import type { ValueType } from './valueType.ts'

/** A 20-byte Ethereum address, resolved to lower case so that it compares as text. */
export function evmAddress(): ValueType<Address> {
  const expected = 'an Ethereum address: 0x and 40 hex digits'
  return {
    name: 'address',
    expected,
    unit: undefined,
    parse: (raw) =>
      typeof raw === 'string' && /^0x[0-9a-f]{40}$/i.test(raw)
        ? { value: `0x${raw.slice(2).toLowerCase()}` }
        : { expected },
    fromText: (text) => text,
    write: (value) => value,
    plain: (value) => value,
  }
}
