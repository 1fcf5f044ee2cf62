import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { documentOf } from '../../support/program/programAnswers.ts'
import { runProgram } from '../../support/program/startProgram.ts'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'

/** A command, and a word that its help must hold. */
const commands = {
  devnet: '--reorg-depth',
  attach: '--blocks',
  shim: '--rpc',
  replay: '--svm-share',
  context: '--tokens',
  documents: '--contract',
  explain: '--chat-url',
  mcp: '--http',
  status: '--http',
  health: '--http',
  verify: '--data-dir',
  config: 'check or print',
} as const

describe('the command line', () => {
  test('every command tells what it takes', async () => {
    const runs = Object.entries(commands).map(async ([command, word]) => {
      const { code, stdout, stderr } = await runProgram([command, '--help'])
      expect.soft({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' })
      expect.soft(stdout, command).toContain(`Usage: monmouth ${command}`)
      expect.soft(stdout, command).toContain(word)
    })
    await Promise.all(runs)
  })

  test('--help and no arguments at all name every command', async () => {
    const [help, nothing] = await Promise.all([runProgram(['--help']), runProgram([])])
    expect(help.code).toBe(0)
    for (const command of Object.keys(commands)) {
      expect(help.stdout).toContain(`\n  ${command} `)
      expect(nothing.stdout + nothing.stderr).toContain(`\n  ${command} `)
    }
  })

  test('an unknown command, flag or word is a usage error that says which', async () => {
    const given = [
      ['frobnicate'],
      ['devnet', '--frobnicate'],
      ['config', 'frobnicate'],
      ['attach', '--blocks'],
    ]
    const runs = await Promise.all(given.map((args) => runProgram(args)))
    for (const [i, { code, stdout, stderr }] of runs.entries()) {
      const args = given[i]!
      expect.soft({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' })
      expect.soft(stderr).toContain(args.at(-1)!)
    }
  })
})

describe('config', () => {
  test('prints every option with its origin, as text and as JSON', async () => {
    const [text, json] = await Promise.all([
      runProgram(['config', 'print', '--set', 'learn.lag=11']),
      runProgram(['config', 'print', '--json'], { MONMOUTH_LEARN_LAG: '12' }),
    ])
    expect(text.code).toBe(0)
    expect(text.stdout).toMatch(/^lag = 11 .*# .*--set learn\.lag/m)
    expect(json.code).toBe(0)
    const { options } = documentOf<{ options: Record<string, { value: unknown; origin: string }> }>(json)
    expect(options['learn.lag']).toMatchObject({ value: 12, origin: 'env MONMOUTH_LEARN_LAG' })
    expect(options['learn.half_life']).toMatchObject({ origin: 'default' })
  })

  test('checks a file: all problems at once, each with its key, and code 2', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'bad.toml')
    await writeFile(file, '[learn]\nlag = "often"\nlagg = 3\n[context]\nlag = 500\nepoch = 100\n')
    const [text, json, good] = await Promise.all([
      runProgram(['config', 'check', '--config', file, '--http', 'nowhere']),
      runProgram(['config', 'check', '--config', file, '--http', 'nowhere', '--json']),
      runProgram(['config', 'check', '--json']),
    ])
    const keys = ['learn.lag', 'learn.lagg', 'context.lag', 'http.listen']
    expect(text.code).toBe(2)
    for (const key of keys) expect(text.stderr).toContain(key)
    expect(json.code).toBe(2)
    const { ok, problems } = documentOf<{ ok: boolean; problems: { key: string; where: string }[] }>(json)
    expect(ok).toBe(false)
    expect(problems.map((problem) => problem.key).sort()).toEqual(keys.sort())
    expect(good.code).toBe(0)
    expect(documentOf(good)).toEqual({ ok: true, problems: [] })
  })

  test('a command with a bad configuration names every problem and starts nothing', async () => {
    await using folder = await temporaryFolder()
    const dataDir = join(folder.path, 'data')
    const bad = [
      '--data-dir',
      dataDir,
      '--http',
      'nowhere',
      '--set',
      'learn.lag=often',
      '--set',
      'nope.x=1',
      '--json',
    ]
    const run = await runProgram(['attach', 'http://127.0.0.1:1', ...bad])
    expect(run.code).toBe(2)
    const { error } = documentOf<{ error: { code: string; message: string } }>(run)
    expect(error.code).toBe('CONFIG_INVALID')
    for (const key of ['http.listen', 'learn.lag', 'nope.x']) {
      expect(error.message).toContain(key)
      expect(run.stderr).toContain(key)
    }
    expect(existsSync(dataDir)).toBe(false)
  })
})
