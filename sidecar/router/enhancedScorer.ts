import type { ResolvedOptions } from './checkOptions.ts'
import type { Decay } from './decay.ts'
import type { EnvelopeModel } from './envelopeModel.ts'
import { createPatternScorer } from './patternScorer.ts'
import type { Scorer } from './scorer.ts'

/**
 * The pattern scorer, with envelopes judged by the model: only they are decided about, and only of them is there more to
 * know than their pattern. What is no envelope keeps the pattern's estimate, at its speed.
 */
export function createEnhancedScorer(options: ResolvedOptions, decay: Decay, model: EnvelopeModel): Scorer {
  const base = createPatternScorer(options, decay)
  return {
    ...base,
    name: 'enhanced',
    version: 1,
    weighsCost: true,
    score(input, into) {
      base.score(input, into)
      if (input.envelopes.size > 0) into.judgements = model.judge(input, input.envelopes, into)
    },
  }
}
