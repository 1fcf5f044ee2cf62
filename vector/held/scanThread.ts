/** The thread that takes sums beside the one that asks for them. Started by `createSharedSums`, and ended by it. */
import { parentPort, workerData } from 'node:worker_threads'
import { createColumnSums, type WasmMemory } from './sumColumns.ts'

const { takeAll } = createColumnSums((workerData as { readonly memory: WasmMemory }).memory)
// It is there.
parentPort!.postMessage(undefined)
takeAll()
