import { option, section } from '../option.ts'
import { bytes } from '../types/bytes.ts'
import { choice } from '../types/choice.ts'
import { decimal } from '../types/decimal.ts'

const share = decimal({ min: 0, max: 1 })

export const decisionEngine = section('How a transaction is judged.', {
  modelType: option(choice(['pattern', 'seed'], { enhanced: 'pattern' }), {
    default: 'pattern',
    binding: true,
    meaning:
      'The scorer: "pattern" learns per contract and selector ("enhanced" means the same), "seed" is the fixed baseline formula.',
  }),
  confidenceThreshold: option(share, {
    // Not the seeds' 0.7: that was for a sum of weights, this is the lower bound of a success rate.
    default: 0.5,
    binding: true,
    meaning: 'An envelope runs when the lower bound of its success rate, or its whole score, is above this.',
  }),
  safetyThreshold: option(share, {
    default: 0.1,
    binding: true,
    meaning: 'An envelope with less safety than this is skipped, once its pattern has enough evidence.',
  }),
  hopelessThreshold: option(share, {
    default: 0.2,
    binding: true,
    meaning:
      'A pattern whose upper bound of success is not above this is skipped, once it has enough evidence.',
  }),
  minEvidence: option(decimal({ min: 0, max: 1_000_000 }), {
    default: 4,
    binding: true,
    meaning: 'Decayed outcomes of a pattern below which nothing of it is refused by judgement.',
  }),
  maxPayloadBytes: option(bytes({ min: 1, max: 16 * 1024 * 1024 }), {
    // What Ethereum's transaction pools accept at most, so that by default only a block builder's own exceed it.
    default: 128 * 1024,
    binding: true,
    meaning: 'Largest envelope payload; a larger one is skipped as too large.',
  }),
})
