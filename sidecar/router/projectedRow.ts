import { isSvmDomain, KEY_BYTES, patternId } from './patternKey.ts'
import { ROW_BYTES } from './patternTable.ts'
import { RouterError } from './routerError.ts'
import type { PatternRow } from './types.ts'

/** Floats of a stored row, after its boundary (a double), in this order. */
export const rowFields = [
  'evmSucceeded',
  'evmFailed',
  'svmExecuted',
  'svmFailed',
  'computeUnits',
  'gasLimit',
  'calldataBytes',
  'valueLog2',
] as const satisfies readonly (keyof PatternRow)[]

/**
 * Opens a row of table `projected`: what the vector store's `patterns` held for that key. A reorg puts rows back with it:
 * for each undone write of the table, the row of `before`, or, without one, no row of `patternId(key)`.
 */
export function decodeProjectedRow(key: Uint8Array, stored: Uint8Array): PatternRow {
  if (key.length !== KEY_BYTES || stored.length !== ROW_BYTES) {
    throw new RouterError('state damaged', {
      expected: `a key of ${KEY_BYTES} bytes and a row of ${ROW_BYTES}`,
      received: `${key.length} and ${stored.length}`,
      where: 'a row of table projected',
      action: 'Restore the state from its last good checkpoint.',
    })
  }
  const view = new DataView(stored.buffer, stored.byteOffset, ROW_BYTES)
  const field = (name: (typeof rowFields)[number]) => view.getFloat32(8 + 4 * rowFields.indexOf(name), true)
  return {
    id: patternId(key),
    svm: isSvmDomain(key[KEY_BYTES - 1]!),
    boundary: BigInt(view.getFloat64(0, true)),
    evmSucceeded: field('evmSucceeded'),
    evmFailed: field('evmFailed'),
    svmExecuted: field('svmExecuted'),
    svmFailed: field('svmFailed'),
    computeUnits: field('computeUnits'),
    gasLimit: field('gasLimit'),
    calldataBytes: field('calldataBytes'),
    valueLog2: field('valueLog2'),
  }
}
