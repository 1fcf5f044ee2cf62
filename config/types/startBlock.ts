import type { PlainValue, ValueType } from './valueType.ts'

/** The first block to apply: the first after genesis, the head seen at the first start, or a block number. */
export type StartBlock = 'genesis' | 'head' | bigint

/** `"genesis"`, `"head"` or a block number. */
export function startBlock(): ValueType<StartBlock> {
  const expected = '"genesis", "head" or a block number'
  return {
    name: '"genesis" or "head" or block number',
    expected,
    unit: undefined,
    parse(raw) {
      if (raw === 'genesis' || raw === 'head') return { value: raw }
      return typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= 0
        ? { value: BigInt(raw) }
        : { expected }
    },
    fromText: (text) => (/^\d+$/.test(text) ? Number(text) : text),
    write: writeStartBlock,
    plain: writeStartBlock,
  }
}

function writeStartBlock(value: StartBlock): PlainValue {
  return typeof value === 'bigint' ? Number(value) : value
}
