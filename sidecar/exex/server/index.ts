// The wire's server door: what serves a chain, and what a source of one needs.

export type { Block, BlockRef, TransactionColumns } from '../../notification/types.ts'
export { CONTRACT_CREATION, EvmStatus } from '../../notification/types.ts'
export { decodeBlock, encodeBlock } from '../blockCodec.ts'
export { ExExError, HistoryPrunedError, WireError } from '../errors.ts'
export { decodeServerFrames, encodeMessage, encodeServerFrame } from '../frameCodec.ts'
export type { ClientFrame, ConsumerInfo, ServerFrame, ServerInfo } from '../frames.ts'
export { blockFromJson } from '../jsonrpc/toBlock.ts'
export { exExMethods, exExService } from '../service.ts'
export type { ExExServerMetrics } from './metrics.ts'
export type { ExExServerLimits, ExExServerOptions, ServerTls, ServerToken } from './options.ts'
export { type ExExServer, type ExExServerDependencies, startExExServer } from './startExExServer.ts'
export type { ChainSource, EncodedBlock, SourceEvent, SourceHeads } from './types.ts'
