import type { Server } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'
import { exExProtoFile } from '../schema.ts'

/** Lets tools such as grpcurl read the contract from the server, by reflection v1 and v1alpha. */
export function addReflection(server: Server): void {
  new ReflectionService(loadSync(exExProtoFile)).addToServer(server)
}
