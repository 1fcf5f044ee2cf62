import { option, section } from '../option.ts'
import { integer } from '../types/integer.ts'
import { trafficOptions } from './traffic.ts'

export const replay = section('The command `replay`: recorded blocks through a real stream.', {
  repeat: option(integer({ min: 1, max: 1_000_000, unit: 'times' }), {
    default: 1,
    meaning: 'How often the recorded blocks are played.',
  }),
  ...trafficOptions(0),
})
