import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import type { AckFrame, AcknowledgedFrame, ConsumerInfo, ServerInfo } from './frames.ts'
import { type MessageCodec, messageCodec } from './messageCodec.ts'

/** The service's name, for health checks and reflection. */
export const EXEX_SERVICE = 'exex.v1.ExEx'

export type AcknowledgeRequest = {
  readonly consumerId: string
  readonly ack: Omit<AckFrame, 'type'> | undefined
}
export type AcknowledgeResponse = { readonly acknowledged: Omit<AcknowledgedFrame, 'type'> | undefined }

const raw = (bytes: Buffer): Buffer => bytes

function unary<Request, Response>(
  name: string,
  request: MessageCodec<Request>,
  response: MessageCodec<Response>,
) {
  return {
    path: `/${EXEX_SERVICE}/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: request.encode,
    requestDeserialize: request.decode,
    responseSerialize: response.encode,
    responseDeserialize: response.decode,
  } satisfies MethodDefinition<Request, Response>
}

type Nothing = Record<never, never>

/**
 * The service, written out: sessions carry raw buffers, so that a frame is encoded once for all its readers and a
 * malformed one is an error of ours, not gRPC's.
 */
export const exExMethods = {
  session: {
    path: `/${EXEX_SERVICE}/Session`,
    requestStream: true,
    responseStream: true,
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: raw,
    responseDeserialize: raw,
  } satisfies MethodDefinition<Buffer, Buffer>,
  getInfo: unary('GetInfo', messageCodec<Nothing>('GetInfoRequest'), messageCodec<ServerInfo>('Info')),
  listConsumers: unary(
    'ListConsumers',
    messageCodec<Nothing>('ListConsumersRequest'),
    messageCodec<{ readonly consumers: readonly ConsumerInfo[] }>('ListConsumersResponse'),
  ),
  dropConsumer: unary(
    'DropConsumer',
    messageCodec<{ readonly consumerId: string }>('DropConsumerRequest'),
    messageCodec<{ readonly dropped: boolean }>('DropConsumerResponse'),
  ),
  acknowledge: unary(
    'Acknowledge',
    messageCodec<AcknowledgeRequest>('AcknowledgeRequest'),
    messageCodec<AcknowledgeResponse>('AcknowledgeResponse'),
  ),
}

export const exExService: ServiceDefinition = exExMethods
