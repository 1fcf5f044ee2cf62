import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs'

/** Time that passes only when told. */
export type Clock = SchedulerLike & { advance(milliseconds: number): void }

type Due = { readonly at: number; readonly run: () => void }

/** Makes a clock at zero. Work falls due in the order of its time. */
export function createClock(): Clock {
  let time = 0
  let due: Due[] = []
  return {
    now: () => time,
    schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T) {
      const entry: Due = {
        at: time + delay,
        run: () => work.call(undefined as unknown as SchedulerAction<T>, state),
      }
      due.push(entry)
      return new Subscription(() => {
        due = due.filter((other) => other !== entry)
      })
    },
    advance(milliseconds) {
      const until = time + milliseconds
      for (;;) {
        const next = due.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        due = due.filter((other) => other !== next)
        time = Math.max(time, next.at)
        next.run()
      }
      time = until
    },
  }
}
