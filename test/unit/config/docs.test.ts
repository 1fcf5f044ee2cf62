import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkConfig, resolveConfig } from '#config'
import { renderExample } from '../../../config/renderExample.ts'
import { renderReference } from '../../../config/renderReference.ts'
import { optionEntries } from '../../../config/schema.ts'

const folder = join(import.meta.dirname, '../../../config')

test.each([
  { name: 'README.md', render: renderReference },
  { name: 'monmouth.example.toml', render: renderExample },
])('$name is current (else run: node config/writeDocs.ts)', ({ name, render }) => {
  expect(readFileSync(join(folder, name), 'utf8')).toBe(render())
})

describe('the example file', () => {
  const text = renderExample()
  const uncommented = text.replace(/^# (\w+ = )/gm, '$1')

  test('changes nothing as it is', () => {
    expect(resolveConfig({ env: {}, file: { path: 'example', text } }).config).toEqual(
      resolveConfig({ env: {} }).config,
    )
  })

  test('is good with every line in use, and sets every option to its default where there is one', () => {
    const file = { path: 'example', text: uncommented }
    expect(checkConfig({ env: {}, file })).toEqual([])
    const { config, origins } = resolveConfig({ env: {}, file })
    const defaults = resolveConfig({ env: {} }).config
    for (const { key, section, name, option } of optionEntries) {
      expect(origins[key], key).toMatchObject({ kind: 'file' })
      if (option.optional) continue
      const valueIn = (from: typeof config) => (from[section] as Readonly<Record<string, unknown>>)[name]
      expect(valueIn(config), key).toEqual(valueIn(defaults))
    }
  })
})

describe.each(optionEntries.map((entry) => [entry.key, entry] as const))('%s', (_, { option }) => {
  test('is declared whole: a value to show, a sentence, and a default that its own type accepts', () => {
    expect(option.meaning).toMatch(/^[A-Z].*\.$/)
    const shown = option.default ?? option.example
    if (option.follows !== undefined)
      return expect(optionEntries.map(({ key }) => key)).toContain(option.follows)
    expect(option.type.parse(option.type.write(shown))).toEqual({ value: shown })
  })
})
