import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import {
  type Command as CommandName,
  checkConfig,
  commands,
  flagsFor,
  formatOrigin,
  resolveConfig,
} from '#config'
import { findOption } from '../../../config/schema.ts'

/** Parses arguments with commander, as a command line would be. */
function parse(name: CommandName, argv: readonly string[]): Record<string, unknown> {
  const command = new Command(name).exitOverride()
  const flags = flagsFor(name)
  for (const { isArgument, repeatable, syntax, description } of flags) {
    if (isArgument) command.argument(syntax, description)
    else if (repeatable)
      command.option(syntax, description, (value: string, all: string[]) => [...all, value], [])
    else command.option(syntax, description)
  }
  command.action(() => {})
  command.parse(argv, { from: 'user' })
  const named = flags.filter(({ isArgument }) => isArgument)
  return {
    ...command.opts(),
    ...Object.fromEntries(named.map(({ attribute }, index) => [attribute, command.processedArgs[index]])),
  }
}

test.each([
  {
    command: 'devnet',
    argv: '--blocks 9 --block-time 250 --tx-per-block 7 --svm-share 0.5 --reorg-every 4 --reorg-depth 2 --seed 11',
    values: {
      'devnet.blocks': 9,
      'devnet.block_time': 250,
      'devnet.tx_per_block': 7,
      'devnet.svm_share': 0.5,
      'devnet.reorg_every': 4,
      'devnet.reorg_depth': 2,
      'devnet.seed': 11,
    },
  },
  {
    command: 'attach',
    argv: 'grpc://127.0.0.1:9100 --blocks 5 --rpc http://127.0.0.1:8545 --data-dir d --http 127.0.0.1:0 --log-level debug --json',
    values: {
      'node.url': 'grpc://127.0.0.1:9100',
      'attach.blocks': 5,
      'node.rpc': 'http://127.0.0.1:8545',
      'general.data_dir': 'd',
      'http.listen': { host: '127.0.0.1', port: 0 },
      'general.log_level': 'debug',
    },
  },
  {
    command: 'shim',
    argv: '--rpc ws://127.0.0.1:8546 --listen 0.0.0.0:9101',
    values: { 'shim.rpc': 'ws://127.0.0.1:8546', 'shim.listen': { host: '0.0.0.0', port: 9101 } },
  },
  {
    command: 'replay',
    argv: 'a.jsonl b.jsonl.gz --repeat 2 --svm-share 0.1 --reorg-every 10 --reorg-depth 4 --seed 3',
    values: {
      'replay.repeat': 2,
      'replay.svm_share': 0.1,
      'replay.reorg_every': 10,
      'replay.reorg_depth': 4,
      'replay.seed': 3,
    },
  },
  {
    command: 'context',
    argv: 'swaps --limit 3 --filter svm --tokens 500 --set query.limit=4',
    values: { 'query.tokens': 500 },
    twice: 'query.limit',
  },
] as const)('$command $argv', ({ command, argv, values, ...rest }) => {
  const flags = parse(command, argv.split(' '))
  if ('twice' in rest) {
    expect(checkConfig({ command, env: {}, flags })).toMatchObject([{ code: 'given-twice', key: rest.twice }])
    flags.set = []
  }
  const { config, origins } = resolveConfig({ command, env: {}, flags })
  for (const [key, value] of Object.entries(values)) {
    const { section, name } = findOption(key)!
    expect((config[section] as Record<string, unknown>)[name], key).toEqual(value)
    expect(formatOrigin(origins[key]!), key).toMatch(/^(flag --|argument URL)/)
  }
})

test('typed values are taken as they are', () => {
  const { config } = resolveConfig({ command: 'devnet', env: {}, flags: { blocks: 4, svmShare: 0.25 } })
  expect([config.devnet.blocks, config.devnet.svmShare]).toEqual([4, 0.25])
})

describe('--set', () => {
  test('takes either spelling, and a value with "="', () => {
    const { config } = resolveConfig({
      env: {},
      flags: { set: ['vector.rowsPerBlock=5', 'general.data_dir=a=b'] },
    })
    expect(config.vector.rowsPerBlock).toBe(5)
    expect(config.general.dataDir).toBe('a=b')
  })

  test('refuses an option given twice, in one flag or in two', () => {
    expect(checkConfig({ env: {}, flags: { set: ['learn.lag=1', 'learn.lag=2'] } })).toMatchObject([
      { code: 'given-twice', key: 'learn.lag' },
    ])
    expect(
      checkConfig({ command: 'devnet', env: {}, flags: { blocks: 1, set: ['devnet.blocks=1'] } }),
    ).toMatchObject([{ code: 'given-twice', where: 'flag --blocks and flag --set devnet.blocks' }])
  })

  test.each([
    { text: 'learn.lga=1', fix: 'Did you mean learn.lag?' },
    { text: 'general.rows_per_block=1', fix: 'Did you mean vector.rows_per_block?' },
    { text: 'nonsense=1', fix: '`config print` lists the options.' },
  ])('refuses $text: $fix', ({ text, fix }) => {
    expect(checkConfig({ env: {}, flags: { set: text } })).toMatchObject([{ code: 'unknown-key', fix }])
  })

  test.each(['hunter2', '=hunter2'])('refuses %s without repeating it', (text) => {
    const problems = checkConfig({ env: {}, flags: { set: [text] } })
    expect(problems).toMatchObject([{ code: 'bad-value', key: '--set' }])
    expect(JSON.stringify(problems)).not.toContain('hunter2')
  })
})

test('a flag of another command is refused, with the flag that was meant', () => {
  expect(checkConfig({ command: 'status', env: {}, flags: { blocks: 1 } })).toMatchObject([
    { code: 'unknown-flag' },
  ])
  expect(checkConfig({ command: 'devnet', env: {}, flags: { blokcs: 1 } })).toMatchObject([
    { code: 'unknown-flag', fix: 'Did you mean --blocks?' },
  ])
})

test.each(commands)('%s: every flag names an option that exists, or is the command’s own', (command) => {
  const flags = flagsFor(command)
  expect(new Set(flags.map(({ attribute }) => attribute)).size).toBe(flags.length)
  for (const { key, syntax, description } of flags) {
    if (key !== undefined) expect(findOption(key)?.key, syntax).toBe(key)
    expect(description, syntax).not.toBe('')
  }
})
