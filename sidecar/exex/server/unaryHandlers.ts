import type { handleUnaryCall, Metadata, ServerUnaryCall } from '@grpc/grpc-js'
import { ExExError, exExErrorCodes } from '../errors.ts'
import { type ConsumerInfo, protocolVersions, type ServerInfo } from '../frames.ts'
import type { AcknowledgeRequest, AcknowledgeResponse } from '../service.ts'
import { type Authenticate, type Caller, checkConsumer } from './authenticate.ts'
import { isCanonical } from './findAncestor.ts'
import type { ServerContext } from './serverContext.ts'

/** The calls for tools. Each asks for the same token a session does. */
export function unaryHandlers(context: ServerContext, authenticate: Authenticate) {
  const { source, consumers, finishedHeight } = context

  const getInfo = answer(authenticate, async (): Promise<ServerInfo> => {
    const heads = source.heads()
    return {
      protocolMin: protocolVersions.min,
      protocolMax: protocolVersions.max,
      chainId: source.chainId,
      genesisHash: source.genesisHash,
      head: heads.head,
      finalized: heads.finalized,
      oldestBlock: heads.oldestBlock,
      server: context.serverName,
      finishedHeight: finishedHeight.value,
      profiles: source.hasLogs ? ['transactions', 'receipts'] : ['transactions'],
    }
  })

  const listConsumers = answer(
    authenticate,
    async (): Promise<{ consumers: readonly ConsumerInfo[] }> => ({
      consumers: consumers.list(source.heads().head),
    }),
  )

  const dropConsumer = answer(
    authenticate,
    async (request: { readonly consumerId: string }, caller): Promise<{ readonly dropped: boolean }> => {
      checkConsumer(caller, request.consumerId)
      const dropped = consumers.drop(request.consumerId)
      context.logger.warn({ consumer: request.consumerId, dropped }, 'consumer dropped by request')
      await finishedHeight.update()
      return { dropped }
    },
  )

  const acknowledge = answer(
    authenticate,
    async ({ consumerId, ack }: AcknowledgeRequest, caller): Promise<AcknowledgeResponse> => {
      checkConsumer(caller, consumerId)
      const consumer = consumers.get(consumerId)
      if (consumer === undefined) throw badRequest('consumer_id', 'a consumer this server knows', consumerId)
      if (consumer.session !== undefined) {
        throw new ExExError('SESSION_OPEN', {
          where: 'acknowledge',
          expected: 'no open session of the consumer',
          actual: `one of ${consumerId}`,
          advice: 'Acknowledge on the session.',
        })
      }
      const durable = ack?.durable
      const processed = ack?.processed ?? durable
      if (processed === undefined) throw badRequest('ack', 'a processed or a durable block', 'neither')
      if (durable !== undefined && durable.number > processed.number) {
        throw badRequest('ack.durable', `at most ${processed.number}, what is processed`, `${durable.number}`)
      }
      for (const ref of [processed, durable]) {
        if (ref === undefined || (await isCanonical(source, ref))) continue
        throw new ExExError('BAD_ACK', {
          where: 'ack',
          expected: 'a canonical block',
          actual: `${ref.number} ${ref.hash}`,
          advice: 'The height is unchanged.',
        })
      }
      consumers.progress(consumer, processed, durable, source.heads().head)
      await finishedHeight.update()
      return { acknowledged: { durable: consumer.durable, finishedHeight: finishedHeight.value } }
    },
  )

  return { getInfo, listConsumers, dropConsumer, acknowledge }
}

function answer<Request, Response>(
  authenticate: (metadata: Metadata) => Caller,
  handle: (request: Request, caller: Caller) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call: ServerUnaryCall<Request, Response>, callback) => {
    // Inside a promise, so that what authenticate throws is answered like everything else.
    Promise.resolve()
      .then(() => handle(call.request, authenticate(call.metadata)))
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(statusOf(error)),
      )
  }
}

/** An error as a gRPC status; the code travels in the metadata of sessions only, here in the words. */
export function statusOf(error: unknown): { readonly code: number; readonly details: string } {
  if (error instanceof ExExError) {
    return { code: exExErrorCodes[error.code].status, details: `${error.code}: ${error.message}` }
  }
  const details = error instanceof Error ? error.message : String(error)
  return { code: exExErrorCodes.UNAVAILABLE.status, details }
}

const badRequest = (where: string, expected: string, actual: string): ExExError =>
  new ExExError('BAD_REQUEST', { where, expected, actual })
