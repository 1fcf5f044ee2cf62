import { option, section } from '../option.ts'
import { boolean } from '../types/boolean.ts'
import { integer } from '../types/integer.ts'

export const memory = section(
  'What is made of stored blocks for people: the graph of entities, and memories. Never an input of a decision.',
  {
    consolidationInterval: option(integer({ min: 1, max: 100_000, unit: 'blocks' }), {
      default: 25,
      meaning: "Blocks after which what they add is taken in; 25 are 300 s of Ethereum's.",
    }),
    consolidationBatchSize: option(integer({ min: 1, max: 1_000_000, unit: 'rows' }), {
      default: 2000,
      meaning: 'Stored transactions taken in at a time, about.',
    }),
    asyncConsolidation: option(boolean(), {
      default: true,
      meaning: 'Whether that is done beside the writes; answers are the same.',
    }),
  },
)
