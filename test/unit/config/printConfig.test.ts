import { expect, test } from 'vitest'
import { checkConfig, printConfig, printConfigJson, resolveConfig } from '#config'
import { optionEntries } from '../../../config/schema.ts'

const resolved = resolveConfig({
  command: 'devnet',
  file: { path: 'monmouth.toml', text: '[learn]\nlag = 9' },
  env: { LOG_LEVEL: 'debug' },
  flags: { blockTime: '250' },
})

test('each value stands with its unit and origin', () => {
  const lines = printConfig(resolved)
    .split('\n')
    .map((line) => line.replace(/ +#/, ' #'))
  expect(lines[0]).toBe('# profile devnet')
  expect(lines).toContain('log_level = "debug" # env LOG_LEVEL')
  expect(lines).toContain('lag = 9 # blocks, monmouth.toml:2')
  expect(lines).toContain('epoch = 16 # blocks, profile devnet')
  expect(lines).toContain('block_time = "250ms" # flag --block-time')
  expect(lines).toContain('heartbeat_timeout = "20s" # default')
  expect(lines).toContain('consumer_id = "monmouth" # default, from general.instance_id')
  expect(lines).toContain('# url # unset')
})

test('the JSON form holds every option, in its unit', () => {
  const { profile, options } = printConfigJson(resolved)
  expect(profile).toBe('devnet')
  expect(Object.keys(options)).toEqual(optionEntries.map(({ key }) => key))
  expect(options['node.heartbeat_timeout']).toEqual({
    value: 20_000,
    unit: 'ms',
    origin: 'default',
    variable: 'MONMOUTH_NODE_HEARTBEAT_TIMEOUT',
    binding: false,
    hidden: false,
  })
  expect(options['node.url']).toMatchObject({ value: null, hidden: false })
})

test('credentials in URLs are never shown, and what is shown is not taken for the value', () => {
  const secret = resolveConfig({
    command: 'attach',
    env: { MONMOUTH_NODE_RPC: 'https://node.example/v3/hunter2?key=hunter2' },
    flags: { url: 'wss://me:hunter2@node.example:8546/' },
  })
  expect(secret.config.node.url).toBe('wss://me:hunter2@node.example:8546/')
  const text = printConfig(secret)
  const json = JSON.stringify(printConfigJson(secret))
  expect(text).toMatch(/^# url = "wss:\/\/\*\*\*@node\.example:8546" +# credentials hidden, argument URL$/m)
  expect(json).toContain('"https://node.example/***"')
  expect(text + json).not.toContain('hunter2')
  const again = resolveConfig({ env: {}, file: { path: 'a.toml', text } })
  expect([again.config.node.url, again.config.node.rpc]).toEqual([undefined, undefined])
})

test.each([
  'htp://me:hunter2@node.example',
  'me:hunter2@node.example',
  'hunter2',
  'grpc://node.example/hunter2',
  'http://[hunter2',
])('credentials in the bad URL %s are not shown', (url) => {
  const problems = checkConfig({ command: 'attach', env: {}, flags: { url } })
  expect(problems).toMatchObject([{ code: 'bad-value', key: 'node.url' }])
  expect(JSON.stringify(problems)).not.toContain('hunter2')
})

test('credentials in a conflict are not shown', () => {
  const problems = checkConfig({
    env: {},
    flags: { set: ['node.url=https://node.example/hunter2', 'node.tls_ca_file=ca.pem'] },
  })
  expect(problems).toMatchObject([{ code: 'conflict', key: 'node.url' }])
  expect(JSON.stringify(problems)).not.toContain('hunter2')
})
