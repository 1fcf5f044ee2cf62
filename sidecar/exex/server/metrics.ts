import type { Origin } from '../frames.ts'

/** What a server reports of itself, as it happens. */
export type ExExServerMetrics = {
  sessionOpened(): void
  sessionClosed(reason: string): void
  notificationSent(facts: { readonly blocks: number; readonly bytes: number; readonly origin: Origin }): void
  /** A session fell out of the ring, to the cold path. */
  fellBehind(): void
  ringChanged(facts: { readonly blocks: number; readonly bytes: number }): void
  finishedHeightChanged(number: bigint): void
  consumerEvicted(): void
}

export const noServerMetrics: ExExServerMetrics = {
  sessionOpened: () => {},
  sessionClosed: () => {},
  notificationSent: () => {},
  fellBehind: () => {},
  ringChanged: () => {},
  finishedHeightChanged: () => {},
  consumerEvicted: () => {},
}
