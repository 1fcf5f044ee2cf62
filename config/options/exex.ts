import { option, section } from '../option.ts'
import { duration } from '../types/duration.ts'
import { integer } from '../types/integer.ts'

export const exex = section('How blocks become durable under load.', {
  maxBlocksBeforeCommit: option(integer({ min: 1, max: 10_000, unit: 'blocks' }), {
    default: 100,
    meaning: 'Most blocks made durable in one database transaction.',
  }),
  maxDelayBeforeCommit: option(duration({ min: 0, max: 10_000 }), {
    default: 20,
    meaning: 'Longest time a processed block waits for others before it is made durable; 0 waits for none.',
  }),
})
