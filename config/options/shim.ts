import { option, optional, section } from '../option.ts'
import { boolean } from '../types/boolean.ts'
import { bytes } from '../types/bytes.ts'
import { duration } from '../types/duration.ts'
import { hostPort } from '../types/hostPort.ts'
import { integer } from '../types/integer.ts'
import { path } from '../types/text.ts'
import { url } from '../types/url.ts'

export const shim = section('The JSON-RPC shim: serves the notification stream for any node.', {
  rpc: optional(url(['http', 'https', 'ws', 'wss']), {
    example: 'http://127.0.0.1:8545',
    meaning: 'JSON-RPC endpoint of the node that is served.',
  }),
  listen: option(hostPort(), {
    default: { host: '127.0.0.1', port: 9100 },
    meaning: 'Where gRPC is served; port 0 takes any free one, which is printed.',
  }),
  pollInterval: option(duration({ min: 10, max: 60_000 }), {
    default: 500,
    meaning: 'Pause between looks at the head, where the node does not push it.',
  }),
  maxReorgDepth: option(integer({ min: 1, max: 100_000, unit: 'blocks' }), {
    default: 256,
    meaning: 'Deepest reorg whose common ancestor is searched for.',
  }),
  ringBlocks: option(integer({ min: 1, max: 1_000_000, unit: 'blocks' }), {
    default: 1024,
    meaning: 'Most recent blocks kept in memory for live consumers; a slower one is served from the node.',
  }),
  ringBytes: option(bytes({ min: 1024 * 1024, max: 16 * 1024 ** 3 }), {
    default: 64 * 1024 * 1024,
    meaning: 'Most memory those blocks may take.',
  }),
  batchBlocks: option(integer({ min: 1, max: 1024, unit: 'blocks' }), {
    default: 64,
    meaning: 'Most blocks in one notification while catching up.',
  }),
  frameBytes: option(bytes({ min: 16 * 1024, max: 4 * 1024 * 1024 }), {
    default: 1024 * 1024,
    meaning: 'Size at which a notification is cut into frames.',
  }),
  heartbeatInterval: option(duration({ min: 10, max: 60_000 }), {
    default: 1000,
    meaning: 'Pause between heartbeats on an idle stream.',
  }),
  evictAfterBlocks: option(integer({ min: 1, max: 1_000_000_000, unit: 'blocks' }), {
    default: 100_000,
    meaning: 'A durable consumer absent for more blocks than this no longer holds back FinishedHeight.',
  }),
  tlsCertFile: optional(path(), {
    example: 'tls/shim.pem',
    meaning: "PEM file of the shim's certificate; without it the shim speaks plain text.",
  }),
  tlsKeyFile: optional(path(), {
    example: 'tls/shim.key',
    meaning: 'PEM file of the private key that belongs to the certificate.',
  }),
  tlsClientCaFile: optional(path(), {
    example: 'tls/clients.pem',
    meaning: 'PEM file of the authorities consumers must show a certificate of (mutual TLS).',
  }),
  tokenFile: optional(path(), {
    example: 'secrets/shim-token',
    meaning: 'File that holds the bearer token consumers must send.',
  }),
  reflection: option(boolean(), {
    default: false,
    meaning: 'Whether gRPC reflection is served, for tools that explore the service.',
  }),
})
