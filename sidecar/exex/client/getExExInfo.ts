import type { ServiceError } from '@grpc/grpc-js'
import { ExExError } from '../errors.ts'
import type { ServerInfo } from '../frames.ts'
import { exExMethods } from '../service.ts'
import { openChannel } from './openChannel.ts'
import type { Endpoint } from './options.ts'
import { fromStatus } from './statusError.ts'

/**
 * What a server says of itself: chain, head, finalized, oldest block. A server that is not up yet is waited for, up to
 * `timeoutMs`, by default 5000. Throws `ExExError`; NOT_AN_EXEX_SERVER where something else answers.
 */
export async function getExExInfo(
  endpoint: Endpoint,
  options: { readonly timeoutMs?: number } = {},
): Promise<ServerInfo> {
  const { timeoutMs = 5000 } = options
  const { client, metadata } = openChannel(endpoint, { maxReceiveBytes: 1 << 20, keepaliveMs: timeoutMs })
  metadata.setOptions({ waitForReady: true })
  const { path, requestSerialize, responseDeserialize } = exExMethods.getInfo
  try {
    return await new Promise<ServerInfo>((resolve, reject) => {
      const done = (error: ServiceError | null, info?: ServerInfo) => {
        if (error !== null) reject(fromStatus(error))
        else if (info === undefined)
          reject(new ExExError('DATA_LOSS', { where: 'GetInfo', expected: 'an answer', actual: 'none' }))
        else resolve(info)
      }
      const deadline = Date.now() + timeoutMs
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, metadata, { deadline }, done)
    })
  } finally {
    client.close()
  }
}
