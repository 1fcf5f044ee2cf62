import fc from 'fast-check'
import { expect, test } from 'vitest'
import { printConfig, printConfigJson, resolveConfig } from '#config'
import { optionEntries } from '../../../config/schema.ts'
import { arbitraryContent, tomlOf } from './arbitraryValues.ts'

test('what config print writes resolves to the same configuration', () => {
  fc.assert(
    fc.property(arbitraryContent, (content) => {
      const first = resolveConfig({ env: {}, file: { path: 'a.toml', text: tomlOf(content) } })
      const again = resolveConfig({ env: {}, file: { path: 'b.toml', text: printConfig(first) } })
      expect(again.config).toEqual(first.config)
    }),
    { numRuns: 200 },
  )
})

test('what the JSON form holds resolves to the same configuration', () => {
  fc.assert(
    fc.property(arbitraryContent, (content) => {
      const first = resolveConfig({ env: {}, file: { path: 'a.toml', text: tomlOf(content) } })
      const { options } = JSON.parse(JSON.stringify(printConfigJson(first))) as ReturnType<
        typeof printConfigJson
      >
      const given = new Map(
        optionEntries
          .filter(({ key }) => options[key]!.value !== null)
          .map((entry) => [entry, options[entry.key]!.value] as const),
      )
      const again = resolveConfig({ env: {}, file: { path: 'b.toml', text: tomlOf(given) } })
      expect(again.config).toEqual(first.config)
    }),
    { numRuns: 100 },
  )
})

test('an environment variable and --set read what the file reads', () => {
  fc.assert(
    fc.property(arbitraryContent, (content) => {
      const texts = [...content]
        // A comma separates the entries of a list outside TOML, so paths in it cannot hold one.
        .filter(([, value]) => !Array.isArray(value) || !JSON.stringify(value).match(/[,=].*file|file.*[,=]/))
        .map(([entry, value]) => [entry, asText(value)] as const)
      const file = tomlOf(new Map([...content].filter(([entry]) => texts.some(([each]) => each === entry))))
      const fromFile = resolveConfig({ env: {}, file: { path: 'a.toml', text: file } })
      const env = Object.fromEntries(texts.map(([entry, text]) => [entry.variable, text]))
      // An empty list is an empty variable, which counts as not set; that is its default too.
      expect(resolveConfig({ env }).config).toEqual(fromFile.config)
      const set = texts.map(([entry, text]) => `${entry.key}=${text}`)
      expect(resolveConfig({ env: {}, flags: { set } }).config).toEqual(fromFile.config)
    }),
    { numRuns: 100 },
  )
})

function asText(value: unknown): string {
  if (!Array.isArray(value)) return String(value)
  return value.map((each) => (typeof each === 'string' ? each : `${each.id}=${each.file}`)).join(',')
}
