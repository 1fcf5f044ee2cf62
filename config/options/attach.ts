import { option, section } from '../option.ts'
import { integer } from '../types/integer.ts'

export const attach = section('The command `attach`.', {
  blocks: option(integer({ min: 0, max: 1_000_000_000, unit: 'blocks' }), {
    default: 0,
    meaning: 'Blocks after which the command ends; 0 goes on until it is stopped.',
  }),
})
