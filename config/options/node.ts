import { following, option, optional, section } from '../option.ts'
import { bytes } from '../types/bytes.ts'
import { choice } from '../types/choice.ts'
import { duration } from '../types/duration.ts'
import { integer } from '../types/integer.ts'
import { identifier, path } from '../types/text.ts'
import { url } from '../types/url.ts'

export const node = section('The node, or the shim beside it, that notifications come from.', {
  url: optional(url(['grpc', 'grpcs', 'http', 'https', 'ws', 'wss']), {
    example: 'grpcs://shim.example:9100',
    meaning: 'What to attach to: a shim by grpc or grpcs, or a JSON-RPC node by http, https, ws or wss.',
  }),
  rpc: optional(url(['http', 'https', 'ws', 'wss']), {
    example: 'http://127.0.0.1:8545',
    meaning:
      'JSON-RPC endpoint that gaps are filled from when the other side speaks only the official ExEx service.',
  }),
  tokenFile: optional(path(), {
    example: 'secrets/node-token',
    meaning: 'File that holds the bearer token sent to the shim.',
  }),
  tlsCaFile: optional(path(), {
    example: 'tls/ca.pem',
    meaning:
      "PEM file of the authorities the shim's certificate is checked against, instead of the system's.",
  }),
  tlsCertFile: optional(path(), {
    example: 'tls/client.pem',
    meaning: 'PEM file of the certificate shown to the shim (mutual TLS).',
  }),
  tlsKeyFile: optional(path(), {
    example: 'tls/client.key',
    meaning: 'PEM file of the private key that belongs to the certificate.',
  }),
  consumerId: following(identifier(), 'general.instance_id', {
    meaning: 'Name under which the shim knows this consumer; of two with the same name the newer one wins.',
  }),
  mode: option(choice(['durable', 'observer']), {
    default: 'durable',
    meaning:
      'A durable consumer holds back FinishedHeight until its effects are stored; an observer never does.',
  }),
  maxFrameBytes: option(bytes({ min: 64 * 1024, max: 4 * 1024 * 1024 }), {
    default: 4 * 1024 * 1024,
    meaning: 'Largest frame accepted.',
  }),
  creditBytes: option(bytes({ min: 64 * 1024, max: 4 * 1024 ** 3 }), {
    default: 8 * 1024 * 1024,
    meaning: 'Most bytes received and not yet processed.',
  }),
  creditNotifications: option(integer({ min: 1, max: 65_536, unit: 'notifications' }), {
    default: 64,
    meaning: 'Most notifications received and not yet processed.',
  }),
  reconnectMinMs: option(duration({ min: 1, max: 60_000 }), {
    default: 100,
    meaning: 'Wait before the first attempt to connect again; it doubles with each failure.',
  }),
  reconnectMaxMs: option(duration({ min: 1, max: 600_000 }), {
    default: 5000,
    meaning: 'Longest wait between attempts to connect again.',
  }),
  heartbeatTimeout: option(duration({ min: 100, max: 600_000 }), {
    default: 20_000,
    meaning: 'Silence after which the stream is given up and opened again.',
  }),
})
