import { option, section } from '../option.ts'
import { integer } from '../types/integer.ts'

export const state = section('The state database.', {
  undoDepth: option(integer({ min: 1, max: 1_000_000, unit: 'blocks' }), {
    default: 256,
    meaning: 'Blocks whose undo data is kept; a reorg deeper than this stops the instance.',
  }),
  retainDecisions: option(integer({ min: 1, max: 1_000_000_000, unit: 'blocks' }), {
    default: 100_000,
    meaning: 'Most recent blocks whose decisions are kept for look-up.',
  }),
})
