import { describe, expect, test } from 'vitest'
import { checkConfig, resolveConfig } from '#config'

const check = (text: string) => checkConfig({ env: {}, file: { path: 'a.toml', text } })

describe('spelling', () => {
  test.each([
    '[decision_engine]\nmodel_type',
    '[decisionEngine]\nmodelType',
    '[decision_engine]\nmodelType',
    '[decisionEngine]\nmodel_type',
  ])('%s is accepted', (head) => {
    const { config } = resolveConfig({ env: {}, file: { path: 'a.toml', text: `${head} = "seed"` } })
    expect(config.decisionEngine.modelType).toBe('seed')
  })

  test('both spellings of an option at once are refused, with both lines', () => {
    expect(check('[vector]\nrows_per_block = 1\nrowsPerBlock = 1')).toMatchObject([
      { code: 'given-twice', key: 'vector.rows_per_block', where: 'a.toml:2 and a.toml:3' },
    ])
  })

  test('both spellings of a section hold different options', () => {
    expect(check('[decision_engine]\nsafety_threshold = 1\n[decisionEngine]\nmodelType = "seed"')).toEqual([])
    expect(
      check('[decision_engine]\nmodel_type = "seed"\n[decisionEngine]\nmodelType = "seed"'),
    ).toMatchObject([{ code: 'given-twice', key: 'decision_engine.model_type' }])
  })

  test.each(['rowsperblock', 'Rows_Per_Block', 'rows-per-block', 'rows_perBlock'])(
    '%s is not a spelling',
    (name) => {
      expect(check(`[vector]\n${name} = 1`)).toMatchObject([
        { code: 'unknown-key', fix: 'Did you mean vector.rows_per_block?' },
      ])
    },
  )
})

describe('unknown keys', () => {
  test.each([
    {
      text: '[vector]\nrows_per_blok = 1',
      key: 'vector.rows_per_blok',
      fix: 'Did you mean vector.rows_per_block?',
    },
    { text: '[general]\nlag = 1', key: 'general.lag', fix: 'Did you mean learn.lag?' },
    { text: '[contxt]\nlag = 1', key: 'contxt', fix: 'Did you mean [context]?' },
    {
      text: 'log_level = "debug"',
      key: 'log_level',
      fix: 'Did you mean general.log_level? Options stand in their section.',
    },
    {
      text: '[learn]\nzzzzzzzz = 1',
      key: 'learn.zzzzzzzz',
      fix: 'Remove it, or pick one of learn.lag, learn.half_life, learn.prior_weight.',
    },
  ])('$key is refused: $fix', ({ text, key, fix }) => {
    expect(check(text)).toMatchObject([{ code: 'unknown-key', key, fix }])
  })

  test.each([
    '[constructor]\na = 1',
    '[general]\nconstructor = 1',
    '[general]\n__proto__ = 1',
    '[__proto__]\na = 1',
    'toString = 1',
  ])('%j is a key like any other', (text) => {
    expect(check(text)).toMatchObject([{ code: 'unknown-key' }])
  })

  test('do not show their values, which may be secrets', () => {
    const problems = check('password = "hunter2"\n[node]\ntoken = "hunter2"\n[hunter]\na = "hunter2"')
    expect(problems).toHaveLength(3)
    expect(JSON.stringify(problems)).not.toContain('hunter2')
  })
})

test('a section that is a single value is refused', () => {
  expect(check('general = 3\n[[http]]\nlisten = "127.0.0.1:1"')).toMatchObject([
    { code: 'bad-value', key: 'general', where: 'a.toml:1' },
    { code: 'bad-value', key: 'http', where: 'a.toml:2' },
  ])
})

test('text that is not TOML is refused with its line, while the other sources are still checked', () => {
  const problems = checkConfig({
    command: 'attach',
    env: { LOG_LEVEL: 'loud' },
    file: { path: 'a.toml', text: '[general]\nlog_level = debug' },
  })
  expect(problems).toMatchObject([{ code: 'bad-file' }, { code: 'bad-value', key: 'general.log_level' }])
  expect(problems[0]!.where).toMatch(/^a\.toml:2:\d+$/)
})

test('the line of a program is that of its table', () => {
  expect(check('[svm]\nexecutor = "litesvm"\n\n[[svm.programs]]\nid = "short"\nfile = "a.so"')).toMatchObject(
    [{ code: 'bad-value', key: 'svm.programs', where: 'a.toml:4', got: 'a list of 1' }],
  )
})

test('options in an inline table and in dotted keys have a line', () => {
  const origins = (text: string) =>
    resolveConfig({ env: {}, file: { path: 'a.toml', text } }).origins['learn.lag']
  expect(origins('\nlearn = { lag = 3 }')).toEqual({ kind: 'file', path: 'a.toml', line: 2 })
  expect(origins('\n\nlearn.lag = 3')).toEqual({ kind: 'file', path: 'a.toml', line: 3 })
})
