import { option, section } from '../option.ts'
import { choice } from '../types/choice.ts'
import { integer } from '../types/integer.ts'

export const context = section('What decisions read from the vector store.', {
  epoch: option(integer({ min: 1, max: 1_000_000, unit: 'blocks' }), {
    default: 256,
    binding: true,
    meaning: 'Distance between boundaries: blocks of an epoch read the same context.',
  }),
  lag: option(integer({ min: 1, max: 1_000_000, unit: 'blocks' }), {
    default: 128,
    binding: true,
    meaning: 'A block reads context as of the last boundary at least this far behind it; at most an epoch.',
  }),
  patterns: option(integer({ min: 1, max: 65_536, unit: 'rows' }), {
    default: 1024,
    binding: true,
    meaning: 'Most rows used as context.',
  }),
  neighbours: option(integer({ min: 1, max: 256, unit: 'rows' }), {
    default: 8,
    binding: true,
    meaning: 'Nearest rows that enter a score.',
  }),
  onUnavailable: option(choice(['wait', 'none']), {
    default: 'wait',
    binding: true,
    meaning:
      'With the vector store down: wait for it, or decide without context, which is recorded and cannot be reproduced.',
  }),
})
