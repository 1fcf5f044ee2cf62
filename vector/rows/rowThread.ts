/** The thread that writes the row index of a folder: takes one call after another. Started by `createRowWriter`. */
import { existsSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { createConsolidation } from '../store/consolidation.ts'
import { openForWriting } from './openRows.ts'
import { createRowIndex } from './rowIndex.ts'
import type { RowThreadOptions, RowThreadReply, RowThreadRequest } from './rowWriter.ts'

const { file, ...options } = workerData as RowThreadOptions
// SQLite would make an empty one, which at the next opening stood in the way of the one set aside.
if (!existsSync(file)) throw new Error(`there is no row index at ${file}: open the folder again`)
const database = openForWriting(file)
const rows = createRowIndex(database)
const consolidation = createConsolidation(rows, options)

parentPort!.on('message', (request: RowThreadRequest) => {
  if (request.call === 'close') {
    database.close()
    parentPort!.close()
    return
  }
  parentPort!.postMessage(replyTo(request))
})

function replyTo(request: Exclude<RowThreadRequest, { call: 'close' }>): RowThreadReply {
  try {
    switch (request.call) {
      case 'apply':
        rows.apply(request.change)
        return { value: undefined }
      case 'setIndexed':
        rows.setIndexed(request.block)
        return { value: undefined }
      case 'takeIn':
        return { value: consolidation.takeIn(request.asOf) }
    }
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause))
    // A copy of an error loses what SQLite says of it.
    return { error, errcode: (error as { errcode?: number }).errcode }
  }
}
