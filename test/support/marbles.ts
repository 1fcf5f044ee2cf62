import { type RunHelpers, TestScheduler } from 'rxjs/testing'
import { expect } from 'vitest'

/** Runs a marble test in virtual time; diagrams are compared with vitest's own equality. */
export function withMarbles(test: (helpers: RunHelpers, scheduler: TestScheduler) => void): void {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected))
  scheduler.run((helpers) => test(helpers, scheduler))
}
