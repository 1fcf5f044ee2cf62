import { constants } from 'node:os'

/** How long a stopping command may take before it is ended: a supervisor's patience is usually 10 s. */
const STOP_LIMIT_MS = 5_000

/**
 * The first SIGINT or SIGTERM aborts the signal: finish the block, commit, close. A second one, or 5 s, ends the process
 * at once; the state is as of the last commit either way.
 */
export function untilSignal(target: NodeJS.Process): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals) => {
    const code = 128 + constants.signals[name]
    if (controller.signal.aborted) target.exit(code)
    controller.abort(new Error(`stopped by ${name}`))
    setTimeout(() => {
      target.stderr.write(`monmouth: not stopped after ${STOP_LIMIT_MS} ms, ending now\n`)
      target.exit(code)
    }, STOP_LIMIT_MS).unref()
  }
  target.on('SIGINT', onSignal)
  target.on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      target.off('SIGINT', onSignal)
      target.off('SIGTERM', onSignal)
    },
  }
}
