import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type Config,
  ConfigError,
  checkConfig,
  type FlagValues,
  formatConfigProblems,
  formatOrigin,
  resolveConfig,
} from '#config'

const file = (text: string) => ({ path: 'monmouth.toml', text })
const attach = { command: 'attach', flags: { url: 'grpc://127.0.0.1:9100' } } as const

describe('precedence', () => {
  const sources = {
    command: 'devnet',
    file: file('[devnet]\nblocks = 1\n[context]\nepoch = 50\n'),
    env: { MONMOUTH_DEVNET_BLOCKS: '2', MONMOUTH_CONTEXT_EPOCH: '60' },
    flags: { blocks: '3', set: ['context.epoch=70'] },
  } as const

  test.each([
    { weakest: 'default', command: 'attach', epoch: 256, origin: 'default' },
    { weakest: 'profile', command: 'devnet', epoch: 16, origin: 'profile devnet' },
  ] as const)('nothing given leaves the $weakest', ({ command, epoch, origin }) => {
    const { config, origins } = resolveConfig({
      command,
      env: {},
      flags: command === 'attach' ? attach.flags : {},
    })
    expect(config.context.epoch).toBe(epoch)
    expect(formatOrigin(origins['context.epoch']!)).toBe(origin)
  })

  test('a file overrides the profile', () => {
    const { config, origins } = resolveConfig({ ...sources, env: {}, flags: {} })
    expect(config.context.epoch).toBe(50)
    expect(origins['context.epoch']).toEqual({ kind: 'file', path: 'monmouth.toml', line: 4 })
    expect(formatOrigin(origins['context.epoch']!)).toBe('monmouth.toml:4')
  })

  test('the environment overrides the file', () => {
    const { config, origins } = resolveConfig({ ...sources, flags: {} })
    expect([config.devnet.blocks, config.context.epoch]).toEqual([2, 60])
    expect(formatOrigin(origins['devnet.blocks']!)).toBe('env MONMOUTH_DEVNET_BLOCKS')
  })

  test('flags override the environment', () => {
    const { config, origins } = resolveConfig(sources)
    expect([config.devnet.blocks, config.context.epoch]).toEqual([3, 70])
    expect(formatOrigin(origins['devnet.blocks']!)).toBe('flag --blocks')
    expect(formatOrigin(origins['context.epoch']!)).toBe('flag --set context.epoch')
  })

  test('the profile is the one named, else that of the flag, else that of the command', () => {
    const profileOf = (sources: Partial<Parameters<typeof resolveConfig>[0]>) =>
      resolveConfig({ env: {}, command: 'devnet', ...sources }).profile
    expect(profileOf({})).toBe('devnet')
    expect(profileOf({ flags: { profile: 'test' } })).toBe('test')
    expect(profileOf({ flags: { profile: 'test' }, profile: 'replay' })).toBe('replay')
  })
})

test('the consumer id is the instance id unless it is given', () => {
  const { config, origins } = resolveConfig({ env: { INSTANCE_ID: 'left' } })
  expect(config.node.consumerId).toBe('left')
  expect(formatOrigin(origins['node.consumer_id']!)).toBe('default, from general.instance_id')
  const given = resolveConfig({ env: { INSTANCE_ID: 'left', MONMOUTH_NODE_CONSUMER_ID: 'right' } })
  expect(given.config.node.consumerId).toBe('right')
})

test('values are typed and in their units', () => {
  const { config } = resolveConfig({
    env: {},
    file: file(
      '[node]\nheartbeat_timeout = "1.5m"\ncredit_bytes = "64MB"\n[chain]\nstart = 7\n[http]\nlisten = "[::1]:0"',
    ),
  })
  expect(config.node.heartbeatTimeout).toBe(90_000)
  expect(config.node.creditBytes).toBe(64_000_000)
  expect(config.chain.start).toBe(7n)
  expect(config.http.listen).toEqual({ host: '::1', port: 0 })
  expectTypeOf<Config['vector']['rowsPerBlock']>().toEqualTypeOf<number>()
  expectTypeOf<Config['node']['url']>().toEqualTypeOf<string | undefined>()
  expectTypeOf<Config['node']['consumerId']>().toEqualTypeOf<string>()
  expectTypeOf<Config['svm']['executor']>().toEqualTypeOf<'litesvm' | 'rpc'>()
  expectTypeOf<Config['decisionEngine']['modelType']>().toEqualTypeOf<'enhanced' | 'pattern' | 'seed'>()
  expectTypeOf<Config['chain']['start']>().toEqualTypeOf<'genesis' | 'head' | bigint>()
})

test('the seeds\' model "enhanced" is the default', () => {
  const named = resolveConfig({ env: {}, file: file('[decision_engine]\nmodel_type = "enhanced"') })
  expect(named.config.decisionEngine).toEqual(resolveConfig({ env: {} }).config.decisionEngine)
})

test("the seeds' tiers are unknown, and a number of entries is no size", () => {
  const problems = checkConfig({ env: {}, file: file('[caching]\nl1_size = 10000\nsize = 10000') })
  expect(problems.map(({ code, key }) => `${code} ${key}`)).toEqual([
    'unknown-key caching.l1_size',
    'bad-value caching.size',
  ])
})

describe('problems', () => {
  test('of every source are reported at once', () => {
    const problems = checkConfig({
      command: 'attach',
      file: file(
        '[vector]\nrows_per_blok = 2\n[learn]\nlag = 0\n[batch_processing]\nmax_batch_size = 1\n[node]\ntls_cert_file = "a"',
      ),
      env: { MONMOUTH_LOG_LEVEL: 'debug', MONMOUTH_HTTP_LISTEN: 'everywhere' },
      flags: { set: ['finality.depth=deep', 'nothing.here=1'], dataDri: 'x' },
    })
    expect(problems.map(({ code, key }) => `${code} ${key}`)).toEqual([
      'unknown-key vector.rows_per_blok',
      'unknown-key batch_processing',
      'bad-value learn.lag',
      'unknown-variable MONMOUTH_LOG_LEVEL',
      'bad-value http.listen',
      'unknown-key nothing.here',
      'unknown-flag dataDri',
      'bad-value finality.depth',
      'missing node.url',
      'conflict node.tls_cert_file',
    ])
  })

  test('each say where, what was expected, what came and what to do', () => {
    expect(checkConfig({ env: {}, file: file('[learn]\n\nlag = "soon"') })).toEqual([
      {
        code: 'bad-value',
        key: 'learn.lag',
        where: 'monmouth.toml:3',
        expected: 'an integer from 1 to 10000',
        got: '"soon"',
        fix: 'Correct the value, or leave it out for its default.',
      },
    ])
  })

  test('are thrown together, as an error that reads as text', () => {
    const sources = { env: { LOG_LEVEL: 'loud', MONMOUTH_LEARN_LAG: '-1' } }
    const error = thrownBy(() => resolveConfig(sources))
    expect(error).toBeInstanceOf(ConfigError)
    const { code, problems, message } = error as ConfigError
    expect(code).toBe('CONFIG_INVALID')
    expect(problems).toEqual(checkConfig(sources))
    expect(message).toBe(formatConfigProblems(problems))
    expect(message).toContain('The configuration has 2 problems:\n  general.log_level (env LOG_LEVEL)\n')
    expect(message).toContain(
      'learn.lag (env MONMOUTH_LEARN_LAG)\n    expected an integer from 1 to 10000, got "-1"\n',
    )
  })

  test('are found in a value that a later source overrides', () => {
    const problems = checkConfig({ env: { MONMOUTH_LEARN_LAG: '3' }, file: file('[learn]\nlag = 0') })
    expect(problems.map(({ code, key }) => `${code} ${key}`)).toEqual(['bad-value learn.lag'])
  })

  test('do not hide behind each other: a relation is left out only where one of its own values is bad', () => {
    const problems = checkConfig({
      env: {},
      flags: { set: ['state.undo_depth=none', 'context.neighbours=9', 'context.patterns=4'] },
    })
    expect(problems.map(({ code, key }) => `${code} ${key}`)).toEqual([
      'bad-value state.undo_depth',
      'conflict context.neighbours',
    ])
  })

  test('name an unknown profile and the ones there are', () => {
    const [problem, ...others] = checkConfig({ env: {}, flags: { profile: 'devnte' } })
    expect(others).toEqual([])
    expect(problem).toMatchObject({ code: 'unknown-profile', got: '"devnte"', fix: 'Did you mean devnet?' })
    expect(checkConfig({ env: {}, flags: { profile: 'constructor' } })).toHaveLength(1)
  })
})

describe('needs of a command', () => {
  test.each([
    { command: 'attach', key: 'node.url', env: { MONMOUTH_NODE_URL: 'ws://127.0.0.1:8546' } },
    { command: 'shim', key: 'shim.rpc', env: { MONMOUTH_SHIM_RPC: 'http://127.0.0.1:8545' } },
  ] as const)('$command needs $key', ({ command, key, env }) => {
    expect(checkConfig({ command, env: {} })).toMatchObject([{ code: 'missing', key }])
    expect(checkConfig({ command, env })).toEqual([])
  })

  test.each(['devnet', 'replay', 'context', 'status', 'health', 'config'] as const)(
    '%s needs nothing',
    (command) => {
      expect(checkConfig({ command, env: {} })).toEqual([])
    },
  )
})

test.each(['attach', 'devnet', 'replay', 'test'] as const)('profile %s is good as it is', (profile) => {
  expect(checkConfig({ profile, env: {} })).toEqual([])
})

function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

test('reorgs are what devnet is for; recordings and short test chains have none unless asked', () => {
  const reorgs = (command: 'devnet' | 'replay', flags: FlagValues = {}) => {
    const { reorgEvery, reorgDepth } = resolveConfig({ command, env: {}, flags }).config[command]
    return [reorgEvery, reorgDepth]
  }
  expect(reorgs('devnet')).toEqual([10, 3])
  expect(reorgs('devnet', { reorgEvery: '0' })).toEqual([0, 3])
  expect(reorgs('devnet', { profile: 'test' })).toEqual([0, 3])
  expect(reorgs('replay', { files: ['blocks.jsonl'] })).toEqual([0, 3])
})
