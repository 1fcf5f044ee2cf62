import { option, section } from '../option.ts'
import { integer } from '../types/integer.ts'

export const finality = section('What counts as final where the node does not say.', {
  depth: option(integer({ min: 1, max: 1_000_000, unit: 'blocks' }), {
    default: 64,
    binding: true,
    meaning: 'Where a node has no finalized block, the block this far behind the head stands in for it.',
  }),
})
