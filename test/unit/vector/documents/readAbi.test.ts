import fc from 'fast-check'
import { toFunctionSelector } from 'viem'
import { describe, expect, test } from 'vitest'
import { DocumentError } from '#vector'
import { readAbi } from '../../../../vector/documents/readAbi.ts'

const swap = {
  type: 'function',
  name: 'swap',
  inputs: [
    { type: 'address', name: 'executor' },
    {
      type: 'tuple[]',
      name: 'legs',
      components: [
        { type: 'address', name: 'pool' },
        { type: 'tuple', name: 'inner', components: [{ type: 'uint256' }, { type: 'bytes' }] },
      ],
    },
  ],
  outputs: [{ type: 'bool' }],
  stateMutability: 'payable',
}
const abi = [
  swap,
  { type: 'event', name: 'Moved', inputs: [{ type: 'address', name: 'to', indexed: true }] },
  { type: 'error', name: 'Broke', inputs: [] },
  { type: 'constructor', inputs: [] },
  { type: 'receive' },
]

describe('readAbi', () => {
  test('functions, events and errors are parts, with their selectors', async () => {
    const parts = await readAbi(JSON.stringify(abi))
    const signature = 'swap(address,(address,(uint256,bytes))[])'
    expect(parts).toEqual([
      {
        text: `function swap(address executor, tuple[] legs) returns (bool) payable selector ${toFunctionSelector(signature)}`,
        selector: toFunctionSelector(signature),
        name: signature,
      },
      { text: expect.stringMatching(/^event Moved\(address to\) topic 0x[0-9a-f]{64}$/) },
      {
        text: expect.stringContaining('error Broke()'),
        selector: toFunctionSelector('Broke()'),
        name: 'Broke()',
      },
    ])
  })

  test.each([
    ['a build artefact', JSON.stringify({ contractName: 'X', abi })],
    ["a block explorer's answer", JSON.stringify({ status: '1', result: JSON.stringify(abi) })],
  ])('reads %s', async (_, text) => {
    expect(await readAbi(text)).toHaveLength(3)
  })

  test('what outputs are is shown where it is text', async () => {
    const [part] = await readAbi(
      '[{"type":"function","name":"f","outputs":[null,{"type":{"toString":1},"name":"x"}]}]',
    )
    expect(part?.text).toMatch(/^function f\(\) returns \(, x\) selector/)
  })

  test.each([
    ['no JSON', 'pragma solidity'],
    ['no list', '{}'],
    ['nothing to call', '[{"type":"constructor"}]'],
    ['a strange type', '[{"type":"function","name":"f","inputs":[{"type":"uint256) evil"}]}]'],
    ['a strange name', '[{"type":"function","name":"f(","inputs":[]}]'],
    ['parameters that are none', '[{"type":"function","name":"f","inputs":"x"}]'],
    ['a tuple of itself', JSON.stringify([{ type: 'function', name: 'f', inputs: [nested(40)] }])],
    ['too much', JSON.stringify(Array.from({ length: 2_001 }, () => swap))],
    ['an event without a name', '[{"type":"event","outputs":[{"type":{"toString":1}}]}]'],
  ])('refuses %s', async (_, text) => {
    await expect(readAbi(text)).rejects.toThrow(expect.objectContaining({ code: 'DOCUMENT_INVALID' }))
  })

  test('property: any JSON is read or refused', async () => {
    const entry = fc.record(
      {
        type: fc.oneof(fc.constantFrom('function', 'event', 'error', 'constructor'), fc.jsonValue()),
        name: fc.oneof(fc.constantFrom('f', 'g$_1'), fc.jsonValue()),
        inputs: fc.oneof(
          fc.array(fc.record({ type: fc.oneof(fc.constantFrom('uint8', 'tuple', 'x y'), fc.jsonValue()) })),
          fc.jsonValue(),
        ),
        outputs: fc.jsonValue(),
        stateMutability: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), fc.array(entry)), async (json) => {
        try {
          for (const { selector } of await readAbi(JSON.stringify(json) ?? 'null'))
            if (selector !== undefined) expect(selector).toMatch(/^0x[0-9a-f]{8}$/)
        } catch (error) {
          expect(error).toBeInstanceOf(DocumentError)
        }
      }),
      { numRuns: 500 },
    )
  })
})

function nested(depth: number): object {
  return depth === 0 ? { type: 'uint8' } : { type: 'tuple', components: [nested(depth - 1)] }
}
