import type { Bridge } from '../bridge.ts'
import type { RefJson } from '../status.ts'

const CLEAR_LINE = '\r\u001b[2K'

/**
 * What a person watches on stderr: a line a block on a terminal that is kept, a status line that is rewritten. Not on a
 * terminal: a line every ten seconds, so that a log stays readable. Silent with `--json`.
 */
export function liveView(options: {
  readonly bridge: Bridge
  readonly httpUrl: string
  readonly nodeUrl: string
  readonly isJson: boolean
  readonly stderr: NodeJS.WriteStream
}): Disposable {
  const { bridge, httpUrl, nodeUrl, isJson, stderr } = options
  const out = (line: string) => stderr.write(line)
  out(`monmouth follows ${nodeUrl}\n  status, metrics, context: ${httpUrl}\n`)
  if (isJson) return { [Symbol.dispose]() {} }

  const isTerminal = stderr.isTTY === true
  let reorgs = 0
  const stop = bridge.listen((event) => {
    if (event.type === 'undone') {
      const [newest, oldest] = [event.blocks[0]!, event.blocks[event.blocks.length - 1]!]
      reorgs++
      const depth = event.blocks.length
      if (isTerminal) {
        out(
          `${CLEAR_LINE}reorg     undid #${oldest.number} to #${newest.number}, ${depth} block${depth === 1 ? '' : 's'}\n`,
        )
      }
    }
    if (event.type !== 'applied') return
    if (!isTerminal) return
    const { effects } = event
    const { executeOnSvm, executeOnEvm, skip, executed, failed, rejected, deposits } = event.counts
    const parts = [
      `#${effects.block.number}`.padEnd(8),
      `${effects.block.hash.slice(0, 10)}…`,
      `${String(effects.transactionHashes.length / 32).padStart(4)} tx`,
      `svm ${executeOnSvm}  evm ${executeOnEvm}  skip ${skip}`.padEnd(28),
      executed + failed + rejected + deposits > 0
        ? `ran ${executed} ok, ${failed} failed, ${rejected} rejected, ${deposits} deposits`
        : '',
    ]
    out(`${CLEAR_LINE}${parts.join('  ').trimEnd()}\n`)
    writeStatus()
  })
  const writeStatus = () => {
    const status = bridge.view.status()
    const { ready, why } = bridge.view.readiness()
    const text =
      `durable ${height(status.durable)}  final ${height(status.finalized)}  finished ${height(status.finishedHeight)}  ` +
      `reorgs ${reorgs}  to durable p50 ${status.latencyMs.p50.toFixed(1)} ms, p99 ${status.latencyMs.p99.toFixed(1)} ms  ` +
      (ready ? 'ready' : `not ready: ${why}`)
    out(isTerminal ? `${CLEAR_LINE}${text.slice(0, Math.max(20, (stderr.columns || 120) - 1))}` : `${text}\n`)
  }
  const timer = setInterval(writeStatus, isTerminal ? 1_000 : 10_000)
  let isDisposed = false
  return {
    [Symbol.dispose]() {
      if (isDisposed) return
      isDisposed = true
      clearInterval(timer)
      stop()
      if (isTerminal) out(CLEAR_LINE)
    },
  }
}

const height = (block: RefJson | null): string => (block ? `#${block.number}` : '–')
