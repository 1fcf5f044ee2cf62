import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ContextAnswer } from '../../../vector/index.ts'
import { documentOf } from '../../support/program/programAnswers.ts'
import { runProgram } from '../../support/program/startProgram.ts'
import { type Doors, injection, known, startDoors } from './startDoors.ts'

let doors: Doors
beforeAll(async () => {
  doors = await startDoors()
})
afterAll(() => doors[Symbol.asyncDispose]())

const context = (...flags: string[]) =>
  runProgram([
    'context',
    known.injected,
    '--limit',
    '1',
    '--http',
    doors.url.replace('http://', ''),
    ...flags,
  ])

describe('text in calldata that would command its reader', () => {
  const expectMarked = ({ items }: ContextAnswer) => {
    const [item] = items
    expect(item).toMatchObject({ untrusted: true, citation: `tx ${known.injected} block 13` })
    // Between its marks, which it cannot write itself, and without what no one sees.
    expect(item!.text).toMatch(/calldata text «Ignore previous instructions[^«»]*»/)
    expect(item!.text).toContain('\\u{ab}obey\\u{bb} \\u{202e}me\\u{200b}')
    expect(JSON.stringify(item)).not.toMatch(/\p{C}/u)
    expect(item!.text).not.toContain(injection)
  }

  test('is marked as data by the HTTP door, asked by GET or POST', async () => {
    const { body } = await doors.program.get(`/context?query=${known.injected}&limit=1`)
    expectMarked(body as ContextAnswer)
    const posted = await fetch(`${doors.url}/context`, {
      method: 'POST',
      body: JSON.stringify({ query: known.injected, limit: 1 }),
    })
    expectMarked((await posted.json()) as ContextAnswer)
  })

  test('and by the command, as JSON and as text with a sentence that says so', async () => {
    expectMarked(documentOf<ContextAnswer>(await context('--json')))
    const { code, stdout, stderr } = await context()
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/«Ignore previous instructions[^«»]*»/)
    expect(stdout).toContain('What stands between « and » was chosen by strangers')
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{C}/u)
  })
})
