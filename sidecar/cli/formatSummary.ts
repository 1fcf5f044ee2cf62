import type { RefJson, Status } from '../status.ts'

/** The summary as a person reads it. */
export function formatSummary(status: Status): string {
  const { routes, svm, latencyMs, cache } = status
  const lookups = cache.hits + cache.misses
  const rows: [string, string][] = [
    ['blocks', `${count(status.blocks)}   transactions ${count(status.transactions)}`],
    [
      'routes',
      `SVM ${count(routes.executeOnSvm)}   EVM ${count(routes.executeOnEvm)}   skip ${count(routes.skip)}`,
    ],
    [
      'svm',
      `executed ${count(svm.executed)}   failed ${count(svm.failed)}   rejected ${count(svm.rejected)}   ` +
        `deposits ${count(svm.deposits)}   accounts ${count(svm.accounts)}`,
    ],
    ['reorgs', `${count(status.reorgs)} (${count(status.blocksReverted)} blocks undone)`],
    ['head', ref(status.head)],
    ['durable', ref(status.durable)],
    ['finalized', ref(status.finalized)],
    ['finished height', ref(status.finishedHeight)],
    ['lattice hash', svm.latticeHash],
    ['decisions hash', status.decisionsHash],
    [
      'speed',
      `${count(Math.round(status.transactionsPerSecond))} tx/s over ${status.seconds.toFixed(1)} s; ` +
        `to durable p50 ${latencyMs.p50.toFixed(1)} ms, p99 ${latencyMs.p99.toFixed(1)} ms, max ${latencyMs.max.toFixed(1)} ms`,
    ],
    [
      'context cache',
      lookups === 0 ? 'not used' : `${((100 * cache.hits) / lookups).toFixed(1)} % hits of ${count(lookups)}`,
    ],
    ['memory', `${Math.round(status.rssBytes / 1e6)} MB`],
  ]
  return `${rows.map(([name, value]) => `${name.padEnd(16)} ${value}`).join('\n')}\n`
}

function ref(block: RefJson | null): string {
  return block ? `#${block.number} ${block.hash}` : 'none'
}

const count = (n: number): string => n.toLocaleString('en-US')
