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
    default: 0.7,
    binding: true,
    meaning: 'Least confidence at which an envelope is run.',
  }),
  safetyThreshold: option(share, {
    default: 0.8,
    binding: true,
    meaning: 'Least safety at which an envelope is run.',
  }),
  complexityThreshold: option(share, {
    default: 0.6,
    binding: true,
    meaning: 'Complexity above which an envelope counts as complex.',
  }),
  maxPayloadBytes: option(bytes({ min: 1, max: 16 * 1024 * 1024 }), {
    // What Ethereum's transaction pools accept at most, so that by default only a block builder's own exceed it.
    default: 128 * 1024,
    binding: true,
    meaning: 'Largest envelope payload; a larger one is skipped as too large.',
  }),
})
