import type { ServerInfo } from '../frames.ts'
import { exExMethods } from '../service.ts'
import { openChannel } from './openChannel.ts'
import type { Endpoint } from './options.ts'
import { fromStatus } from './statusError.ts'

/**
 * What a server says of itself and its chain.
 * @param timeoutMs longest wait for the answer, a server that is still starting included
 * @throws ExExError: `UNAVAILABLE` when nobody answers, `UNAUTHENTICATED`, `NOT_AN_EXEX_SERVER`
 */
export async function fetchServerInfo(endpoint: Endpoint, timeoutMs: number): Promise<ServerInfo> {
  const { client, metadata } = openChannel(endpoint, { maxReceiveBytes: 1 << 20, keepaliveMs: 10_000 })
  const { path, requestSerialize, responseDeserialize } = exExMethods.getInfo
  // gRPC calls wait for a connection until the deadline, so a server that is still starting is waited for.
  metadata.setOptions({ waitForReady: true })
  try {
    return await new Promise<ServerInfo>((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        {},
        metadata,
        { deadline: Date.now() + timeoutMs },
        (error, info) => (error ? reject(fromStatus(error)) : resolve(info!)),
      )
    })
  } finally {
    client.close()
  }
}
