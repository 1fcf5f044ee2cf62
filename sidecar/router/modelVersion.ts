import { createHash } from 'node:crypto'
import type { ResolvedOptions } from './checkOptions.ts'
import type { Scorer } from './scorer.ts'

/** `scorer/version/digest`: two routers with the same one decide the same chain alike. */
export function modelVersionOf(scorer: Scorer, options: ResolvedOptions): string {
  const { lag, epoch, patterns, neighbours } = options.context
  const settings = JSON.stringify([
    options.learn.lag,
    options.learn.halfLife,
    options.learn.priorWeight,
    [lag, epoch, patterns, neighbours],
    options.policy.runAbove,
    options.policy.skipBelow,
    options.policy.unsafeBelow,
    options.policy.minEvidence,
    options.policy.deniedPrograms.map((program) => Buffer.from(program).toString('hex')).sort(),
    options.policy.maxPayloadBytes,
    options.maxPatterns,
  ])
  const digest = createHash('sha256').update(settings).digest('hex').slice(0, 12)
  return `${scorer.name}/${scorer.version}/${digest}`
}
