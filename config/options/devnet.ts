import { option, section } from '../option.ts'
import { duration } from '../types/duration.ts'
import { integer } from '../types/integer.ts'
import { trafficOptions } from './traffic.ts'

export const devnet = section('The command `devnet`: an embedded chain with traffic.', {
  blocks: option(integer({ min: 0, max: 1_000_000_000, unit: 'blocks' }), {
    default: 0,
    meaning: 'Blocks after which the command ends; 0 goes on until it is stopped.',
  }),
  blockTime: option(duration({ min: 0, max: 3_600_000 }), {
    default: 1000,
    meaning: 'Pause between blocks; 0 makes them as fast as they come.',
  }),
  txPerBlock: option(integer({ min: 0, max: 10_000, unit: 'transactions' }), {
    default: 20,
    meaning: 'Transactions in each block.',
  }),
  ...trafficOptions(0.2),
})
