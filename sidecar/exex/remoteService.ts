import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import protobuf from 'protobufjs'
import { remoteProtoFile } from './schema.ts'

/** The messages of `remote.proto` by name. */
export const remoteSchema = protobuf.loadSync(remoteProtoFile)

/** The same for who reads them: without the bundle, which nobody here needs and which is most of the decoding. */
export const remoteReadSchema = withoutBundle(protobuf.loadSync(remoteProtoFile))

function withoutBundle(schema: protobuf.Root): protobuf.Root {
  const outcome = schema.lookupType('exex.ExecutionOutcome')
  // A field that is not known is skipped.
  outcome.remove(outcome.fields.bundle!)
  return schema
}

const raw = (bytes: Buffer): Buffer => bytes

/** The official service, as it is called in reth's remote ExEx example. */
export const remoteMethods = {
  subscribe: {
    path: '/exex.RemoteExEx/Subscribe',
    requestStream: false,
    responseStream: true,
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: raw,
    responseDeserialize: raw,
  } satisfies MethodDefinition<Buffer, Buffer>,
}

export const remoteService: ServiceDefinition = remoteMethods

/** Response metadata of a server that leaves parts of the official messages out: their names, comma-separated. */
export const DEGRADED_HEADER = 'x-monmouth-degraded'
