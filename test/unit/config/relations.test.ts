import { describe, expect, test } from 'vitest'
import { checkConfig } from '#config'
import { relations } from '../../../config/relations.ts'
import { findOption } from '../../../config/schema.ts'

// Each relation: settings that just break it, and the nearest ones that hold it.
const cases: readonly { key: string; breaks: string; holds: string }[] = [
  { key: 'state.undo_depth', breaks: 'state.undo_depth=63', holds: 'state.undo_depth=64' },
  {
    key: 'state.retain_decisions',
    breaks: 'state.retain_decisions=255',
    holds: 'state.retain_decisions=256',
  },
  ...['devnet', 'replay'].flatMap((name) => [
    {
      key: `${name}.reorg_depth`,
      breaks: `${name}.reorg_every=9 ${name}.reorg_depth=64`,
      holds: `${name}.reorg_every=9 ${name}.reorg_depth=63`,
    },
    {
      key: `${name}.reorg_depth`,
      breaks: `${name}.reorg_every=9 ${name}.reorg_depth=21 shim.max_reorg_depth=20`,
      holds: `${name}.reorg_every=0 ${name}.reorg_depth=21 shim.max_reorg_depth=20`,
    },
  ]),
  { key: 'context.lag', breaks: 'context.epoch=127', holds: 'context.epoch=128' },
  { key: 'context.neighbours', breaks: 'context.patterns=7', holds: 'context.patterns=8' },
  {
    key: 'svm.rpc_url',
    breaks: 'svm.executor=rpc',
    holds: 'svm.executor=rpc svm.rpc_url=http://127.0.0.1:8899',
  },
  {
    key: 'svm.programs',
    breaks:
      'svm.executor=rpc svm.rpc_url=http://127.0.0.1:8899 svm.programs=11111111111111111111111111111111=a.so',
    holds: 'svm.programs=11111111111111111111111111111111=a.so',
  },
  {
    key: 'node.tls_cert_file',
    breaks: 'node.tls_key_file=k',
    holds: 'node.tls_key_file=k node.tls_cert_file=c',
  },
  {
    key: 'node.url',
    breaks: 'node.url=grpc://h:1 node.tls_ca_file=c',
    holds: 'node.url=grpcs://h:1 node.tls_ca_file=c',
  },
  { key: 'node.reconnect_min_ms', breaks: 'node.reconnect_min_ms=5001', holds: 'node.reconnect_min_ms=5s' },
  { key: 'node.credit_bytes', breaks: 'node.credit_bytes=1MiB', holds: 'node.credit_bytes=4MiB' },
  {
    key: 'shim.tls_cert_file',
    breaks: 'shim.tls_cert_file=c',
    holds: 'shim.tls_cert_file=c shim.tls_key_file=k',
  },
  {
    key: 'shim.tls_client_ca_file',
    breaks: 'shim.tls_client_ca_file=a',
    holds: 'shim.tls_client_ca_file=a shim.tls_cert_file=c shim.tls_key_file=k',
  },
  {
    key: 'shim.heartbeat_interval',
    breaks: 'node.heartbeat_timeout=1s',
    holds: 'node.heartbeat_timeout=1001ms',
  },
  {
    key: 'chat.model',
    breaks: 'chat.url=http://127.0.0.1:1/v1',
    holds: 'chat.url=http://127.0.0.1:1/v1 chat.model=m',
  },
  {
    key: 'embedder.url',
    breaks: 'embedder.kind=http embedder.model=m',
    holds: 'embedder.kind=http embedder.model=m embedder.url=http://127.0.0.1:1 embedder.dimensions=3',
  },
  {
    key: 'shim.listen',
    breaks: 'http.listen=127.0.0.1:9100',
    holds: 'http.listen=127.0.0.1:0 shim.listen=127.0.0.1:0',
  },
]

const check = (settings: string) => checkConfig({ env: {}, flags: { set: settings.split(' ') } })

describe.each(cases)('$key', ({ key, breaks, holds }) => {
  test(`refuses ${breaks}`, () => {
    expect(check(breaks)).toMatchObject([{ code: 'conflict', key }])
  })

  test(`accepts ${holds}`, () => {
    expect(check(holds)).toEqual([])
  })
})

test('every relation has a case, and concerns options that exist', () => {
  expect(cases.map(({ key }) => key)).toEqual(relations.map(({ keys }) => keys[0]))
  for (const key of relations.flatMap(({ keys }) => keys)) expect(findOption(key)?.key, key).toBe(key)
})

test('a conflict names every value of the relation and its origin', () => {
  expect(check('devnet.reorg_every=9 devnet.reorg_depth=64')).toMatchObject([
    {
      where:
        'devnet.reorg_depth: flag --set devnet.reorg_depth; devnet.reorg_every: flag --set devnet.reorg_every; finality.depth: default',
      got: 'devnet.reorg_depth 64, devnet.reorg_every 9, finality.depth 64',
    },
  ])
})
