/** The thread that takes sums beside the one that asks for them: one work after another. Started by `createSharedSums`. */
import { parentPort, workerData } from 'node:worker_threads'
import { createColumnSums, type SumWork, type WasmMemory } from './sumColumns.ts'

const { takeNext } = createColumnSums((workerData as { readonly memory: WasmMemory }).memory)

parentPort!.on('message', (work: SumWork) => {
  while (takeNext(work));
  parentPort!.postMessage(undefined)
})
// It is there.
parentPort!.postMessage(undefined)
