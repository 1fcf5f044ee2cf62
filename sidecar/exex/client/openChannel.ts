import { readFileSync } from 'node:fs'
import { type ChannelCredentials, Client, credentials, Metadata } from '@grpc/grpc-js'
import { ExExError } from '../errors.ts'
import type { Endpoint } from './options.ts'

/** A connection of its own, for one attempt, and the metadata its calls carry. */
export type Channel = { readonly client: Client; readonly metadata: Metadata }

const FLOW_CONTROL_WINDOW_BYTES = 8 << 20

/** Opens a channel; throws `ExExError` BAD_REQUEST for a URL that is not one. */
export function openChannel(
  endpoint: Endpoint,
  limits: { readonly maxReceiveBytes: number; readonly keepaliveMs: number },
): Channel {
  const { target, isSecure } = parseUrl(endpoint.url)
  const metadata = new Metadata()
  if (endpoint.token !== undefined) metadata.set('authorization', `Bearer ${endpoint.token}`)
  const serverName = endpoint.tls?.serverName
  const client = new Client(target, isSecure ? secure(endpoint) : credentials.createInsecure(), {
    'grpc.max_receive_message_length': limits.maxReceiveBytes,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveMs,
    // HTTP/2's own 64 kB make every block wait for several round trips; what bounds memory are the credits.
    'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
    // Reconnecting is decided by the caller: no connection, and no waiting, is shared with an earlier attempt.
    'grpc.use_local_subchannel_pool': 1,
    ...(serverName === undefined
      ? {}
      : { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName }),
  })
  return { client, metadata }
}

function secure(endpoint: Endpoint): ChannelCredentials {
  const { caFile, certFile, keyFile } = endpoint.tls ?? {}
  const read = (file: string | undefined) => (file === undefined ? null : readFileSync(file))
  return credentials.createSsl(read(caFile), read(keyFile), read(certFile))
}

function parseUrl(url: string): { readonly target: string; readonly isSecure: boolean } {
  if (/^unix:.+/.test(url)) return { target: url, isSecure: false }
  const match = /^(grpcs?):\/\/([^/?#@]+:\d+)\/?$/.exec(url)
  if (match !== null) return { target: match[2]!, isSecure: match[1] === 'grpcs' }
  throw new ExExError('BAD_REQUEST', {
    where: 'url',
    expected: 'grpc://host:port, grpcs://host:port or unix:/path',
    actual: url.replace(/\/\/[^@/]*@/, '//***@'),
  })
}
