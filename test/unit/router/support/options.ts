import { pino } from 'pino'
import type { RouterDependencies, RouterOptions } from '../../../../sidecar/router/types.ts'

/** Much as the configuration has it, but quicker to refuse. */
export const usualOptions: RouterOptions = {
  scorer: 'pattern',
  learn: { lag: 8, halfLife: 512, priorWeight: 4 },
  context: { lag: 256, epoch: 256, patterns: 1024, neighbours: 8, onUnavailable: 'wait' },
  policy: { runAbove: 0.7, unsafeBelow: 0.8, deniedPrograms: [], maxPayloadBytes: 131_072 },
  keptUndo: 256,
}

/** Everything small, so that a few blocks meet every bound: fading, a full table, epochs, old snapshots. */
export const smallOptions: RouterOptions = {
  ...usualOptions,
  learn: { lag: 2, halfLife: 1, priorWeight: 2 },
  context: { lag: 3, epoch: 4, patterns: 6, neighbours: 3, onUnavailable: 'wait', retryMs: 1 },
  policy: { ...usualOptions.policy, minEvidence: 1 },
  maxPatterns: 16,
  keptUndo: 6,
}

export function dependencies(
  context: RouterDependencies['context'],
  signal?: AbortSignal,
): RouterDependencies {
  return { context, logger: pino({ level: 'silent' }), signal: signal ?? new AbortController().signal }
}
