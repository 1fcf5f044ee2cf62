import { type Config, resolveConfig } from '#config'
import type { Random } from '../../../harness/random.ts'

/** A configuration of the profile `test` whose windows are small and differ from run to run. */
export function randomConfig(random: Random): Config {
  const undoDepth = 6 + random.below(18)
  const epoch = 2 + random.below(6)
  const set = [
    `state.undo_depth=${undoDepth}`,
    `state.retain_decisions=${random.chance(0.3) ? undoDepth + random.below(10) : 1000}`,
    `finality.depth=${undoDepth}`,
    `learn.lag=${1 + random.below(4)}`,
    `learn.half_life=${random.pick([1, 2, 8, 32])}`,
    `context.epoch=${epoch}`,
    `context.lag=${1 + random.below(epoch)}`,
    `context.patterns=${random.pick([8, 64])}`,
    `context.neighbours=${1 + random.below(8)}`,
    `vector.rows_per_block=${random.below(4)}`,
    `vector.outbox_limit_rows=${random.pick([100, 1000])}`,
    `findings.window=${8 + random.below(8)}`,
    `findings.keep=${1 + random.below(20)}`,
    `exex.max_blocks_before_commit=${random.pick([1, 2, 5, 100])}`,
    `exex.max_delay_before_commit=${random.pick([0, 5, 50])}ms`,
  ]
  return resolveConfig({ command: 'config', profile: 'test', env: {}, flags: { set } }).config
}
