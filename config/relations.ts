import type { Config } from './schema.ts'

/** Something that holds between options. */
export type Relation = {
  /** The options concerned, the one to change first. Checked only when all of them have good values. */
  readonly keys: readonly string[]
  /** What must hold; follows the word "expected". */
  readonly expected: string
  readonly holds: (config: Config) => boolean
  /** What to do when it does not. */
  readonly fix: string
}

const isSet = (value: unknown) => value !== undefined
const bothOrNeither = (a: unknown, b: unknown) => isSet(a) === isSet(b)

/** What must hold between options, beyond each one's own range. */
export const relations: readonly Relation[] = [
  {
    keys: ['state.undo_depth', 'finality.depth'],
    expected: 'the undo of every block that is not final',
    holds: ({ state, finality }) => state.undoDepth >= finality.depth,
    fix: 'Raise state.undo_depth to at least finality.depth.',
  },
  {
    keys: ['state.retain_decisions', 'state.undo_depth'],
    expected: 'decisions kept at least as long as their undo',
    holds: ({ state }) => state.retainDecisions >= state.undoDepth,
    fix: 'Raise state.retain_decisions to at least state.undo_depth.',
  },
  ...(['devnet', 'replay'] as const).flatMap((command): Relation[] => [
    {
      keys: [`${command}.reorg_depth`, `${command}.reorg_every`, 'finality.depth'],
      expected: 'reorgs that stay above the finalized block',
      holds: ({ [command]: { reorgDepth, reorgEvery }, finality }) =>
        reorgEvery === 0 || reorgDepth < finality.depth,
      fix: `Lower ${command}.reorg_depth below finality.depth, or raise that.`,
    },
    {
      keys: [`${command}.reorg_depth`, `${command}.reorg_every`, 'shim.max_reorg_depth'],
      expected: 'reorgs no deeper than the shim searches',
      holds: ({ [command]: { reorgDepth, reorgEvery }, shim }) =>
        reorgEvery === 0 || reorgDepth <= shim.maxReorgDepth,
      fix: `Lower ${command}.reorg_depth, or raise shim.max_reorg_depth.`,
    },
  ]),
  {
    keys: ['context.lag', 'context.epoch'],
    expected: 'context read before the next boundary is written',
    holds: ({ context }) => context.lag <= context.epoch,
    fix: 'Lower context.lag to at most context.epoch.',
  },
  {
    keys: ['context.neighbours', 'context.patterns'],
    expected: 'no more neighbours than rows to find them in',
    holds: ({ context }) => context.neighbours <= context.patterns,
    fix: 'Lower context.neighbours, or raise context.patterns.',
  },
  {
    keys: ['svm.rpc_url', 'svm.executor'],
    expected: 'an endpoint for the executor "rpc"',
    holds: ({ svm }) => svm.executor !== 'rpc' || isSet(svm.rpcUrl),
    fix: 'Set svm.rpc_url, or svm.executor = "litesvm".',
  },
  {
    keys: ['svm.programs', 'svm.executor'],
    expected: 'programs only for the executor "litesvm", as a cluster has its own',
    holds: ({ svm }) => svm.executor === 'litesvm' || svm.programs.length === 0,
    fix: 'Remove svm.programs, or set svm.executor = "litesvm".',
  },
  {
    keys: ['node.tls_cert_file', 'node.tls_key_file'],
    expected: 'certificate and key together',
    holds: ({ node }) => bothOrNeither(node.tlsCertFile, node.tlsKeyFile),
    fix: 'Set both node.tls_cert_file and node.tls_key_file, or neither.',
  },
  {
    keys: ['node.url', 'node.tls_ca_file', 'node.tls_cert_file', 'node.tls_key_file'],
    expected: 'TLS files only with a grpcs:// URL, as nothing else uses them',
    holds: ({ node }) =>
      node.url === undefined ||
      node.url.startsWith('grpcs:') ||
      ![node.tlsCaFile, node.tlsCertFile, node.tlsKeyFile].some(isSet),
    fix: 'Use a grpcs:// URL, or remove the TLS files.',
  },
  {
    keys: ['node.reconnect_min_ms', 'node.reconnect_max_ms'],
    expected: 'a first wait no longer than the longest',
    holds: ({ node }) => node.reconnectMinMs <= node.reconnectMaxMs,
    fix: 'Lower node.reconnect_min_ms, or raise node.reconnect_max_ms.',
  },
  {
    keys: ['node.credit_bytes', 'node.max_frame_bytes'],
    expected: 'credit for at least one frame, or nothing could be sent',
    holds: ({ node }) => node.creditBytes >= node.maxFrameBytes,
    fix: 'Raise node.credit_bytes, or lower node.max_frame_bytes.',
  },
  {
    keys: ['shim.tls_cert_file', 'shim.tls_key_file'],
    expected: 'certificate and key together',
    holds: ({ shim }) => bothOrNeither(shim.tlsCertFile, shim.tlsKeyFile),
    fix: 'Set both shim.tls_cert_file and shim.tls_key_file, or neither.',
  },
  {
    keys: ['shim.tls_client_ca_file', 'shim.tls_cert_file'],
    expected: 'client certificates only together with a certificate of the shim',
    holds: ({ shim }) => !isSet(shim.tlsClientCaFile) || isSet(shim.tlsCertFile),
    fix: 'Set shim.tls_cert_file and shim.tls_key_file, or remove shim.tls_client_ca_file.',
  },
  {
    keys: ['shim.heartbeat_interval', 'node.heartbeat_timeout'],
    expected: 'heartbeats more often than they are waited for',
    holds: ({ shim, node }) => shim.heartbeatInterval < node.heartbeatTimeout,
    fix: 'Lower shim.heartbeat_interval, or raise node.heartbeat_timeout.',
  },
  {
    keys: ['chat.model', 'chat.url'],
    expected: 'the name of a model to ask of the endpoint',
    holds: ({ chat }) => !isSet(chat.url) || isSet(chat.model),
    fix: 'Set chat.model, or remove chat.url.',
  },
  {
    keys: ['embedder.url', 'embedder.model', 'embedder.dimensions', 'embedder.kind'],
    expected: 'endpoint, model and dimensions of the embedder "http"',
    holds: ({ embedder: { kind, ...given } }) =>
      kind !== 'http' || [given.url, given.model, given.dimensions].every(isSet),
    fix: 'Set embedder.url, embedder.model and embedder.dimensions, or embedder.kind = "hash".',
  },
  {
    keys: ['shim.listen', 'http.listen'],
    expected: 'a port each for gRPC and HTTP',
    holds: ({ shim, http }) => shim.listen.port === 0 || shim.listen.port !== http.listen.port,
    fix: 'Give one of them another port, or port 0.',
  },
]
