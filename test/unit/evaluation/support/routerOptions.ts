import type { RouterOptions } from '../../../../sidecar/router/types.ts'

/** Windows short enough to be passed within a few blocks. */
export const routerOptions: RouterOptions = {
  scorer: 'pattern',
  learn: { lag: 2, halfLife: 32, priorWeight: 4 },
  context: { lag: 2, epoch: 4, patterns: 64, neighbours: 8, onUnavailable: 'wait' },
  policy: { runAbove: 0.5, unsafeBelow: 0.1, deniedPrograms: [], maxPayloadBytes: 131_072 },
  keptUndo: 0,
}
