import { option, section } from '../option.ts'
import { decimal } from '../types/decimal.ts'
import { integer } from '../types/integer.ts'

export const learn = section('What the scorer learns from outcomes.', {
  lag: option(integer({ min: 1, max: 10_000, unit: 'blocks' }), {
    default: 1,
    binding: true,
    meaning: 'A block is decided with the outcomes of blocks at least this far behind it.',
  }),
  halfLife: option(integer({ min: 1, max: 10_000_000, unit: 'blocks' }), {
    default: 512,
    binding: true,
    meaning: 'Age at which an outcome counts half.',
  }),
  priorWeight: option(decimal({ min: 0.001, max: 1_000_000, unit: 'outcomes' }), {
    default: 4,
    binding: true,
    meaning: 'How many outcomes the general rate weighs against those of a pattern.',
  }),
})
