import { readFile, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import type { Config, FlagValues } from '#config'
import {
  type DocumentAdded,
  DocumentError,
  type DocumentInput,
  type DocumentKind,
  type DocumentSummary,
  documentBytes,
  documentKinds,
  type EmbeddingStats,
  isDocumentCode,
  openVectorStore,
} from '#vector'
import { embedderOptions, memoryOptions } from '../startVector.ts'
import { readIdentity } from '../watermark/openDatabase.ts'
import { askSidecar, SidecarUnreachableError } from './askSidecar.ts'
import { type CommandContext, prepare, writeJson } from './commandContext.ts'
import { ContextRefusedError, NoDataError } from './context.ts'
import { exitCodes } from './exitCodes.ts'

/** The command line of `documents` does not say what to do. */
export class DocumentsUsageError extends Error {
  override readonly name = 'DocumentsUsageError'
  readonly code = 'DOCUMENTS_USAGE'
}

/** A file that cannot be added. */
export class DocumentFileError extends Error {
  override readonly name = 'DocumentFileError'
  readonly code = 'DOCUMENT_FILE'
}

/** Where documents are kept: a running sidecar, or a folder that nobody else writes. */
type Shelf = {
  add(document: DocumentInput): Promise<DocumentAdded>
  list(): Promise<readonly DocumentSummary[]>
  remove(id: string): Promise<DocumentSummary>
  embedding(): Promise<EmbeddingStats>
}

/** `documents add FILE…`, `documents list`, `documents remove ID…`. */
export async function documents(flags: FlagValues, context: CommandContext): Promise<number> {
  const { config, origins, logger, json } = await prepare('documents', flags, context)
  const { stdout } = context
  const action = String(flags.action)
  const names = (flags.items as readonly string[] | undefined) ?? []
  const origin = origins['general.data_dir']!.kind
  const isNamed = origin !== 'default' && origin !== 'profile'
  // Read before anything is opened: a wrong file changes nothing.
  const inputs = action === 'add' ? await readInputs(names, flags) : []
  if (action === 'remove' && names.length === 0)
    throw new DocumentsUsageError('documents remove: name the ids to remove.')
  if (action === 'list' && names.length > 0) throw new DocumentsUsageError('documents list takes no names.')
  if (!['add', 'list', 'remove'].includes(action))
    throw new DocumentsUsageError(`documents: expected add, list or remove, got '${action}'.`)

  return await withShelf(async (shelf) => {
    if (action === 'list') {
      const kept = await shelf.list()
      const embedding = await shelf.embedding()
      if (json) writeJson(stdout, { documents: kept, embedding })
      else {
        const lines = kept.length === 0 ? ['No documents.'] : kept.map(line)
        stdout.write(`${[...lines, ...embeddingLines(embedding)].join('\n')}\n`)
      }
    } else if (action === 'add') {
      const added: DocumentAdded[] = []
      for (const input of inputs) {
        const result = await shelf.add(input)
        added.push(result)
        if (!json) stdout.write(`${result.isNew ? 'added' : 'known'}  ${line(result.document)}\n`)
      }
      if (json) writeJson(stdout, { added })
    } else {
      const removed: DocumentSummary[] = []
      for (const id of names) {
        removed.push(await shelf.remove(id))
        if (!json) stdout.write(`removed  ${line(removed.at(-1)!)}\n`)
      }
      if (json) writeJson(stdout, { removed })
    }
    return exitCodes.ok
  })

  async function withShelf(work: (shelf: Shelf) => Promise<number>): Promise<number> {
    if (isNamed) return await withFolder(config, work)
    try {
      return await work(runningShelf(config, context.signal))
    } catch (error) {
      // Nobody answers, so nobody writes there; when somebody starts meanwhile, the folder's lock says so.
      if (!(error instanceof SidecarUnreachableError) || !readIdentity(config.general.dataDir, { logger }))
        throw error
      return await withFolder(config, work)
    }
  }

  async function withFolder(
    { general, vector }: Config,
    work: (shelf: Shelf) => Promise<number>,
  ): Promise<number> {
    const identity = readIdentity(general.dataDir, { logger })
    if (!identity) throw new NoDataError(general.dataDir)
    await using store = await openVectorStore(
      {
        directory: join(general.dataDir, 'vector'),
        chainId: identity.chainId,
        indexCacheBytes: vector.indexCacheBytes,
        metadataCacheBytes: vector.metadataCacheBytes,
        optimizeEvery: vector.optimizeEvery,
        ...memoryOptions(config),
        embedder: await embedderOptions(config),
        readOnly: action === 'list',
      },
      { logger },
    )
    return await work({
      add: (document) => store.addDocument(document),
      list: () => store.documents(),
      remove: (id) => store.removeDocument(id),
      embedding: async () => (await store.stats()).embedding,
    })
  }
}

/** The store of a running sidecar, by its HTTP door: it stays the only one who writes. */
function runningShelf(config: Config, signal: AbortSignal): Shelf {
  const ask = async <T>(path: string, request?: Parameters<typeof askSidecar>[3]): Promise<T> => {
    const { status, body } = await askSidecar(config, path, signal, request)
    if (status < 400) return body as T
    const { error } = body as { error: { code: string; message: string } }
    // Of the same kind as where this process has the store.
    if (isDocumentCode(error.code)) throw new DocumentError(error.code, error.message)
    throw new ContextRefusedError(error.code, error.message)
  }
  return {
    add: (document) =>
      ask('/documents', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(document),
        // Another embedder than the built-in one takes its time.
        timeoutMs: 600_000,
      }),
    list: async () => (await ask<{ documents: DocumentSummary[] }>('/documents')).documents,
    remove: async (id) =>
      (await ask<{ removed: DocumentSummary }>(`/documents/${encodeURIComponent(id)}`, { method: 'DELETE' }))
        .removed,
    embedding: () => ask('/documents/embedding'),
  }
}

async function readInputs(names: readonly string[], flags: FlagValues): Promise<readonly DocumentInput[]> {
  if (names.length === 0) throw new DocumentsUsageError('documents add: name files, or - for standard input.')
  const { title, kind, contract } = flags
  if (typeof title === 'string' && names.length > 1)
    throw new DocumentsUsageError('documents add: --title is for one file.')
  if (names.includes('-') && (names.length > 1 || typeof title !== 'string'))
    throw new DocumentsUsageError('documents add: standard input (-) comes alone, and needs --title.')
  if (typeof kind === 'string' && !(documentKinds as readonly string[]).includes(kind))
    throw new DocumentsUsageError(
      `documents add: --kind is one of ${documentKinds.join(', ')}, got '${kind}'.`,
    )
  return await Promise.all(
    names.map(async (name): Promise<DocumentInput> => {
      const text = name === '-' ? await readAll(process.stdin) : await readText(name)
      return {
        title: typeof title === 'string' ? title : basename(name),
        kind: typeof kind === 'string' ? (kind as DocumentKind) : kindOf(name, text),
        ...(typeof contract === 'string' ? { contract } : {}),
        text,
      }
    }),
  )
}

async function readText(name: string): Promise<string> {
  try {
    const { size } = await stat(name)
    if (size > documentBytes) {
      throw new DocumentFileError(
        `${name} has ${size} bytes: at most ${documentBytes} were expected. Add it in several.`,
      )
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(name))
  } catch (cause) {
    if (cause instanceof DocumentFileError) throw cause
    const reason = cause instanceof TypeError ? 'it is no text in UTF-8' : (cause as Error).message
    throw new DocumentFileError(`${name} cannot be added: ${reason}.`, { cause })
  }
}

const sourceEndings = new Set(['.sol', '.vy', '.yul', '.rs', '.ts', '.js', '.huff', '.fe'])

/** An entry of an ABI, also within the text that a block explorer answers with. */
const isAbi = /\\?"type\\?"\s*:\s*\\?"(?:function|event|error)\\?"/

/** By the file's ending, where `--kind` does not say. */
function kindOf(name: string, text: string): DocumentKind {
  const ending = extname(name).toLowerCase()
  if (ending === '.abi' || (ending === '.json' && isAbi.test(text))) return 'abi'
  return sourceEndings.has(ending) ? 'source' : 'note'
}

function line({ id, kind, title, contract, parts, names }: DocumentSummary): string {
  const about = contract === undefined ? '' : ` of ${contract}`
  const calls = names > 0 ? `, ${names} calls named` : ''
  return `${id}  ${kind}  ${title}${about} (${parts} parts${calls})`
}

/** Nothing while all is well. */
function embeddingLines({ embedder, wanted, progress, problem }: EmbeddingStats): readonly string[] {
  const done = progress ? `: ${progress.done} of ${progress.total} parts` : ''
  return [
    ...(embedder === undefined || embedder === wanted
      ? []
      : [`vectors of ${embedder}, to be embedded again by ${wanted}${done}`]),
    ...(problem === undefined ? [] : [problem]),
  ]
}
