import { setTimeout as delay } from 'node:timers/promises'
import { type ServiceError, status } from '@grpc/grpc-js'
import { ExExError } from '../errors.ts'
import type { ServerInfo } from '../frames.ts'
import { exExMethods } from '../service.ts'
import { openChannel } from './openChannel.ts'
import type { Endpoint } from './options.ts'
import { fromStatus } from './statusError.ts'

/** Between two attempts at a server that is not up yet, milliseconds. */
const RETRY_MS = 200

/**
 * What a server says of itself: chain, head, finalized, oldest block. A server that is not up yet is waited for, up to
 * `timeoutMs`, by default 5000. Throws `ExExError`; NOT_AN_EXEX_SERVER where something else answers.
 */
export async function getExExInfo(
  endpoint: Endpoint,
  options: { readonly timeoutMs?: number } = {},
): Promise<ServerInfo> {
  const { timeoutMs = 5000 } = options
  const deadline = Date.now() + timeoutMs
  let reason: ExExError | undefined
  for (;;) {
    try {
      return await askOnce(endpoint, deadline)
    } catch (error) {
      if (!(error instanceof ExExError) || error.code !== 'UNAVAILABLE') throw error
      // An attempt that our own deadline cut off says nothing of the server: the one before it may.
      if (reason === undefined || !isDeadline(error.cause)) reason = error
      if (Date.now() + RETRY_MS < deadline) {
        await delay(RETRY_MS)
        continue
      }
      throw new ExExError('UNAVAILABLE', {
        where: `server ${endpoint.url.replace(/\/\/[^@/]*@/, '//***@')}`,
        expected: `an answer within ${timeoutMs} ms`,
        actual: reason.actual,
        advice: 'Check that it runs, its address, and whether it speaks TLS.',
        cause: reason,
      })
    }
  }
}

function isDeadline(cause: unknown): boolean {
  return (cause as Partial<ServiceError> | undefined)?.code === status.DEADLINE_EXCEEDED
}

/**
 * A connection for every attempt, and none waited for: only so does gRPC say why there is none (refused, a certificate
 * it does not trust).
 */
async function askOnce(endpoint: Endpoint, deadline: number): Promise<ServerInfo> {
  const keepaliveMs = 10_000
  const { client, metadata } = openChannel(endpoint, { maxReceiveBytes: 1 << 20, keepaliveMs })
  const { path, requestSerialize, responseDeserialize } = exExMethods.getInfo
  try {
    return await new Promise<ServerInfo>((resolve, reject) => {
      const done = (error: ServiceError | null, info?: ServerInfo) => {
        if (error !== null) reject(fromStatus(error))
        else if (info === undefined)
          reject(new ExExError('DATA_LOSS', { where: 'GetInfo', expected: 'an answer', actual: 'none' }))
        else resolve(info)
      }
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, metadata, { deadline }, done)
    })
  } finally {
    client.close()
  }
}
