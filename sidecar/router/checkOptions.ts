import { MAX_CONTEXT_ROWS } from './contextIndex.ts'
import { RouterError } from './routerError.ts'
import type { RouterOptions } from './types.ts'

/** Options with nothing left open. */
export type ResolvedOptions = {
  readonly scorer: RouterOptions['scorer']
  readonly learn: RouterOptions['learn']
  readonly context: Required<RouterOptions['context']>
  readonly policy: Required<RouterOptions['policy']>
  readonly maxPatterns: number
  readonly keptUndo: number
}

/** Fills in the defaults; throws `invalid option`, naming every option that is out of range at once. */
export function checkOptions(given: RouterOptions): ResolvedOptions {
  const options: ResolvedOptions = {
    ...given,
    context: { ...given.context, retryMs: given.context.retryMs ?? 500 },
    policy: {
      ...given.policy,
      skipBelow: given.policy.skipBelow ?? 0.2,
      minEvidence: given.policy.minEvidence ?? 4,
    },
    maxPatterns: given.maxPatterns ?? 1_048_576,
  }
  const { learn, context, policy } = options
  const problems: string[] = []
  const whole = (name: string, value: number, least: number, most: number) => {
    if (!Number.isInteger(value) || value < least || value > most) {
      problems.push(`${name}: a whole number from ${least} to ${most}, not ${value}`)
    }
  }
  const share = (name: string, value: number) => {
    if (!(value >= 0 && value <= 1)) problems.push(`${name}: from 0 to 1, not ${value}`)
  }
  whole('learn.lag', learn.lag, 1, 65_536)
  whole('learn.halfLife', learn.halfLife, 1, 2 ** 31)
  if (!(learn.priorWeight > 0 && learn.priorWeight < Infinity)) {
    problems.push(`learn.priorWeight: above 0, not ${learn.priorWeight}`)
  }
  whole('context.epoch', context.epoch, 1, 2 ** 31)
  // Past one epoch the next boundary's rows would be written over this one's before the first block asks for them.
  whole('context.lag', context.lag, 1, context.epoch)
  whole('context.patterns', context.patterns, 1, MAX_CONTEXT_ROWS)
  whole('context.neighbours', context.neighbours, 1, 256)
  whole('context.retryMs', context.retryMs, 1, 2 ** 31 - 1)
  share('policy.runAbove', policy.runAbove)
  share('policy.skipBelow', policy.skipBelow)
  share('policy.unsafeBelow', policy.unsafeBelow)
  if (!(policy.minEvidence >= 0)) problems.push(`policy.minEvidence: 0 or more, not ${policy.minEvidence}`)
  for (const program of policy.deniedPrograms) {
    if (program.length !== 32) problems.push(`policy.deniedPrograms: 32 bytes each, not ${program.length}`)
  }
  whole('policy.maxPayloadBytes', policy.maxPayloadBytes, 0, 2 ** 32)
  whole('maxPatterns', options.maxPatterns, 8, 2 ** 24)
  whole('keptUndo', options.keptUndo, 0, 2 ** 31)
  if (problems.length === 0) return options
  throw new RouterError(
    'invalid option',
    {
      expected: 'every option in its range',
      received: problems.join('; '),
      where: 'the router options',
      action: 'Correct the named options.',
    },
    { problems },
  )
}
