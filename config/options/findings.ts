import { option, section } from '../option.ts'
import { boolean } from '../types/boolean.ts'
import { integer } from '../types/integer.ts'

export const findings = section('What is noticed about blocks once they are applied. It decides nothing.', {
  enabled: option(boolean(), {
    default: true,
    meaning:
      'Whether blocks are looked at for trades around others, arbitrage, liquidations, spam, failing calls and lookalike addresses; their logs are then asked for.',
  }),
  window: option(integer({ min: 8, max: 1_024, unit: 'blocks' }), {
    default: 64,
    meaning: 'Most recent blocks that a block is compared with, and that fee advice is from.',
  }),
  keep: option(integer({ min: 1, max: 10_000, unit: 'blocks' }), {
    default: 1_024,
    meaning: 'Most recent blocks whose findings are kept for look-up.',
  }),
})
