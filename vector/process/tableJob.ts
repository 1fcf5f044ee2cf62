/** The process of one heavy job on `transactions`; started by `startTableJobs`, and of no use without a channel to a parent. */
import { connect } from '@lancedb/lancedb'
import { errorText } from '../store/failure.ts'
import { buildIndex, type IndexJob } from '../store/tableJobs.ts'

export type TableJobRequest =
  | { readonly kind: 'compact'; readonly directory: string; readonly cleanupOlderThanMs: number }
  | { readonly kind: 'index'; readonly directory: string; readonly job: IndexJob }
export type TableJobAnswer = { readonly error: string | undefined }

// Signals to the whole group are for the first process of it, which says when this one ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.on('disconnect', () => process.exit(0))
process.on('message', (request: TableJobRequest) => {
  void carryOut(request).then(
    () => answer(undefined),
    (cause: unknown) => answer(errorText(cause)),
  )
})

function answer(error: string | undefined): void {
  if (process.connected) process.send!({ error } satisfies TableJobAnswer)
}

async function carryOut(request: TableJobRequest): Promise<void> {
  const connection = await connect(request.directory)
  const table = await connection.openTable('transactions')
  if (request.kind === 'index') await buildIndex(table, request.job)
  else await table.optimize({ cleanupOlderThan: new Date(request.cleanupOlderThanMs) })
  table.close()
  connection.close()
}
