import { option, section } from '../option.ts'
import { integer } from '../types/integer.ts'

export const query = section('Questions people ask, by the command `context` and by HTTP.', {
  limit: option(integer({ min: 1, max: 1000, unit: 'items' }), {
    default: 10,
    meaning: 'Most items in an answer that asks for no other number.',
  }),
  tokens: option(integer({ min: 16, max: 1_000_000, unit: 'tokens' }), {
    default: 2000,
    meaning: 'Token budget of an answer that asks for no other.',
  }),
})
