/**
 * The store's process: takes calls from its parent, for one folder. Started by `startStoreClient`, and of no use without a channel to a parent.
 */
import pino from 'pino'
import { type LocalStore, openStore } from '../store/openStore.ts'
import { type ProcessState, type StoreMessage, type StoreRequest, sendableError } from './messages.ts'
import { residentBytes } from './residentBytes.ts'
import { startTableJobs } from './startTableJobs.ts'

const tell = (message: StoreMessage) => {
  if (process.connected) process.send!(message)
}
const logger = pino(
  { level: process.env.MONMOUTH_VECTOR_LOG_LEVEL ?? 'info' },
  { write: (line) => tell({ kind: 'log', line }) },
)
let store: LocalStore | undefined

// A signal to the whole group is for the parent: it says when we close.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
// Without a parent there is no one to write for, and its successor waits for the folder.
process.on('disconnect', () => process.exit(0))

process.on('message', (request: StoreRequest) => {
  void carryOut(request).then(
    (value) => tell({ kind: 'answer', id: request.id, value, state: state() }),
    (error: unknown) => {
      tell({ kind: 'failure', id: request.id, error: sendableError(error), state: state() })
      // The next call starts another process, which opens the folder anew.
      if (store?.mustReopen()) process.disconnect()
    },
  )
})

async function carryOut(request: StoreRequest): Promise<unknown> {
  if (request.call === 'load') return undefined
  if (request.call === 'open') {
    store = await openStore(request.argument, {
      logger,
      onMaintenance: (event) => tell({ kind: 'maintenance', event }),
      startTableJobs,
    })
    return undefined
  }
  if (!store) throw new Error(`${request.call} was asked of the vector store's process before it was opened`)
  switch (request.call) {
    case 'warm':
      return store.warm()
    case 'retire':
      return store.retire()
    case 'apply':
      return store.apply(request.argument)
    case 'patternsAt':
      return store.patternsAt(request.argument)
    case 'search':
      return store.search(request.argument)
    case 'neighbours':
      return store.neighbours(request.argument)
    case 'addDocument':
      return store.addDocument(request.argument)
    case 'documents':
      return store.documents()
    case 'removeDocument':
      return store.removeDocument(request.argument)
    case 'callNames':
      return store.callNames(request.argument)
    case 'stats':
      return store.stats()
    case 'close':
      return store.close()
  }
}

function state(): ProcessState {
  const rss = process.memoryUsage.rss()
  const rssBytes = rss + (store?.jobsRssBytes() ?? 0)
  // Two thirds of a fresh process are LanceDB's code, a mapped file.
  return {
    rssBytes,
    ownBytes: (residentBytes('self', 'RssAnon') ?? rss) - (store?.heldBytes() ?? 0),
    isMaintaining: store?.isMaintaining() ?? false,
  }
}
