import { describe, expect, test } from 'vitest'
import { checkConfig, formatOrigin, resolveConfig } from '#config'
import { environmentLayer } from '../../../config/environmentLayer.ts'
import { optionEntries } from '../../../config/schema.ts'

test.each([
  {
    alias: 'LOG_LEVEL',
    variable: 'MONMOUTH_GENERAL_LOG_LEVEL',
    key: 'general.log_level',
    values: ['debug', 'warn'],
  },
  {
    alias: 'INSTANCE_ID',
    variable: 'MONMOUTH_GENERAL_INSTANCE_ID',
    key: 'general.instance_id',
    values: ['a', 'b'],
  },
] as const)('$alias is read, and yields to $variable', ({ alias, variable, key, values }) => {
  const originWith = (env: Record<string, string>) => formatOrigin(resolveConfig({ env }).origins[key]!)
  expect(originWith({ [alias]: values[0] })).toBe(`env ${alias}`)
  expect(originWith({ [alias]: values[0], [variable]: values[1] })).toBe(`env ${variable}`)
  expect(originWith({ [alias]: values[0], [variable]: ' ' })).toBe(`env ${alias}`)
})

test('an empty variable counts as not set', () => {
  const { config, origins } = resolveConfig({ env: { MONMOUTH_NODE_URL: '', MONMOUTH_LEARN_LAG: ' ' } })
  expect([config.node.url, config.learn.lag]).toEqual([undefined, 1])
  expect(origins['learn.lag']).toEqual({ kind: 'default' })
})

test('variables that do not start with MONMOUTH_ are no concern', () => {
  expect(
    checkConfig({ env: { PATH: '/bin', MONMOUTHISH: '1', monmouth_learn_lag: '0', LEARN_LAG: '0' } }),
  ).toEqual([])
})

describe('unknown variables', () => {
  test.each([
    { name: 'MONMOUTH_LOG_LEVEL', fix: 'Did you mean MONMOUTH_GENERAL_LOG_LEVEL?' },
    { name: 'MONMOUTH_VECTOR_ROWSPERBLOCK', fix: 'Did you mean MONMOUTH_VECTOR_ROWS_PER_BLOCK?' },
    { name: 'MONMOUTH_LERAN_LAG', fix: 'Did you mean MONMOUTH_LEARN_LAG?' },
    { name: 'MONMOUTH_SOMETHING_ELSE', fix: 'Unset it; `config print` lists the options.' },
  ])('$name is refused: $fix', ({ name, fix }) => {
    const problems = checkConfig({ env: { [name]: 'hunter2' } })
    expect(problems).toMatchObject([{ code: 'unknown-variable', key: name, where: `env ${name}`, fix }])
    expect(JSON.stringify(problems)).not.toContain('hunter2')
  })

  test('are not those that Kubernetes sets for a service', () => {
    const links = {
      MONMOUTH_SERVICE_HOST: '10.0.0.1',
      MONMOUTH_SERVICE_PORT: '8080',
      MONMOUTH_SERVICE_PORT_HTTP: '8080',
      MONMOUTH_PORT: 'tcp://10.0.0.1:8080',
      MONMOUTH_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
      MONMOUTH_PORT_8080_TCP_PROTO: 'tcp',
      MONMOUTH_PORT_8080_TCP_PORT: '8080',
      MONMOUTH_PORT_8080_TCP_ADDR: '10.0.0.1',
      MONMOUTH_SHIM_SERVICE_HOST: '10.0.0.2',
      MONMOUTH_SHIM_PORT: 'tcp://10.0.0.2:9100',
    }
    expect(checkConfig({ env: links })).toEqual([])
    // Proof that the names are looked at, and not let through whatever they hold.
    expect(checkConfig({ env: { MONMOUTH_HTTP_PORT: '8080' } })).toHaveLength(1)
  })

  test('are not what the test suite reads', () => {
    expect(checkConfig({ env: { MONMOUTH_SHARED: '../shared' } })).toEqual([])
  })
})

test('every option is reached by exactly one variable of its own', () => {
  const env = Object.fromEntries(optionEntries.map(({ variable }) => [variable, 'x']))
  const { values, problems } = environmentLayer(env)
  expect(problems).toEqual([])
  expect(values.map(({ entry }) => entry.key)).toEqual(optionEntries.map(({ key }) => key))
})
