import { Client, credentials } from '@grpc/grpc-js'
import { exExMethods } from '#exex/server'
import type { BlockPosition } from '../devnet/runTraffic.ts'

/** What a server of `exex.v1` has told its node that it may forget up to; undefined before it has said anything. */
export async function finishedHeightOf(address: string): Promise<BlockPosition | undefined> {
  const client = new Client(address, credentials.createInsecure())
  const { path, requestSerialize, responseDeserialize } = exExMethods.getInfo
  try {
    const info = await new Promise<Parameters<typeof take>[0]>((resolve, reject) =>
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, (error, answer) =>
        error === null ? resolve(answer!) : reject(error),
      ),
    )
    return take(info)
  } finally {
    client.close()
  }
}

const take = ({ finishedHeight }: { readonly finishedHeight: BlockPosition | undefined }) => finishedHeight
