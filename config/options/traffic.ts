import { option } from '../option.ts'
import { decimal } from '../types/decimal.ts'
import { integer } from '../types/integer.ts'

/** The options that `devnet` and `replay` have in common: what is mixed into the blocks. */
export function trafficOptions(svmShare: number) {
  return {
    svmShare: option(decimal({ min: 0, max: 1 }), {
      default: svmShare,
      meaning: 'Share of SVM envelopes among the transactions.',
    }),
    reorgEvery: option(integer({ min: 0, max: 1_000_000, unit: 'blocks' }), {
      default: 0,
      meaning: 'Blocks between two reorgs; 0 makes none.',
    }),
    reorgDepth: option(integer({ min: 1, max: 100_000, unit: 'blocks' }), {
      default: 3,
      meaning: 'Blocks taken back by a reorg.',
    }),
    seed: option(integer({ min: 0, max: 2 ** 32 - 1 }), {
      default: 1,
      meaning: 'Seed of everything random: the same options make the same chain.',
    }),
  }
}
