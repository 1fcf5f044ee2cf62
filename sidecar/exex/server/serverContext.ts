import type { Logger } from 'pino'
import type { Consumers } from './consumers.ts'
import type { FinishedHeight } from './finishedHeight.ts'
import type { LiveRing } from './liveRing.ts'
import type { ExExServerMetrics } from './metrics.ts'
import type { ExExServerLimits } from './options.ts'
import type { Session } from './session.ts'
import type { ChainSource } from './types.ts'

/** What the sessions of one server share. */
export type ServerContext = {
  readonly source: ChainSource
  readonly ring: LiveRing
  readonly limits: ExExServerLimits
  readonly consumers: Consumers
  readonly finishedHeight: FinishedHeight
  readonly sessions: Set<Session>
  readonly metrics: ExExServerMetrics
  readonly logger: Logger
  /** Random per start. */
  readonly epoch: bigint
  readonly serverName: string
  /** Unix milliseconds. */
  readonly now: () => number
}
