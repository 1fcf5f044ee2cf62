import { option, section } from '../option.ts'
import { bytes } from '../types/bytes.ts'
import { choice } from '../types/choice.ts'
import { decimal } from '../types/decimal.ts'

const share = decimal({ min: 0, max: 1 })

export const decisionEngine = section('How a transaction is judged.', {
  modelType: option(choice(['enhanced', 'pattern', 'seed']), {
    default: 'enhanced',
    binding: true,
    meaning:
      'The scorer: "enhanced" learns per contract and selector, of envelopes also by payer, program and compute limit, and weighs what a failure costs; "pattern" does without the latter; "seed" is the fixed baseline formula.',
  }),
  confidenceThreshold: option(share, {
    // Not the seeds' 0.7: that was for a sum of weights, this is for a chance of success.
    default: 0.5,
    binding: true,
    meaning:
      'An envelope runs when its chance of success is above this, if its failure costs what runs do on average; more is asked of dearer ones, less of cheaper. With "pattern", when the lower bound or the whole score is above.',
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
