import { Client, credentials } from '@grpc/grpc-js'
import { exExMethods } from '#exex/server'
import type { BlockPosition } from '../devnet/runTraffic.ts'

/** What a server of `exex.v1` has told its node that it may forget up to; undefined before it has said anything. */
export async function finishedHeightOf(address: string): Promise<BlockPosition | undefined> {
  return (await call(address, exExMethods.getInfo)).finishedHeight
}

/** Whom it knows, and what they hold. */
export async function consumersOf(address: string) {
  return (await call(address, exExMethods.listConsumers)).consumers
}

async function call<Answer>(
  address: string,
  method: {
    readonly path: string
    readonly requestSerialize: (request: object) => Buffer
    readonly responseDeserialize: (bytes: Buffer) => Answer
  },
): Promise<Answer> {
  const client = new Client(address, credentials.createInsecure())
  const { path, requestSerialize, responseDeserialize } = method
  try {
    return await new Promise<Answer>((resolve, reject) =>
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, (error, answer) =>
        error === null ? resolve(answer!) : reject(error),
      ),
    )
  } finally {
    client.close()
  }
}
