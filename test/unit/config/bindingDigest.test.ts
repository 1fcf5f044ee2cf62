import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bindingDigest, type Config, resolveConfig } from '#config'
import { type OptionEntry, optionEntries } from '../../../config/schema.ts'
import { arbitraryValue, publicKeys } from './arbitraryValues.ts'

const { config } = resolveConfig({ env: {} })

/** The configuration with one value exchanged, past all relations. */
function withValue(entry: OptionEntry, value: unknown): Config {
  return { ...config, [entry.section]: { ...config[entry.section], [entry.name]: value } }
}

describe.each(optionEntries.map((entry) => [entry.key, entry] as const))('%s', (_, entry) => {
  const { type, binding } = entry.option

  test(binding ? 'binds the data directory' : 'does not bind the data directory', () => {
    fc.assert(
      fc.property(arbitraryValue(entry), arbitraryValue(entry), (first, second) => {
        const [one, two] = [first, second].map((raw) => {
          const parsed = type.parse(raw)
          if (!('value' in parsed))
            throw new Error(`refused: ${JSON.stringify(raw)}, expected ${parsed.expected}`)
          return parsed.value
        })
        const bound = (value: unknown) => JSON.stringify(type.bind ? type.bind(value) : type.write(value))
        const isSame = !binding || bound(one) === bound(two)
        const digests = [one, two].map((value) => bindingDigest(withValue(entry, value)).digest)
        expect(digests[0] === digests[1]).toBe(isSame)
      }),
      { numRuns: 20 },
    )
  })
})

test('the binding options are these', () => {
  expect(Object.keys(bindingDigest(config).settings)).toEqual([
    'chain.start',
    'finality.depth',
    'svm.executor',
    'svm.router',
    'svm.programs',
    'svm.denied_programs',
    'decision_engine.model_type',
    'decision_engine.confidence_threshold',
    'decision_engine.safety_threshold',
    'decision_engine.hopeless_threshold',
    'decision_engine.min_evidence',
    'decision_engine.max_payload_bytes',
    'learn.lag',
    'learn.half_life',
    'learn.prior_weight',
    'context.epoch',
    'context.lag',
    'context.patterns',
    'context.neighbours',
    'context.on_unavailable',
    'vector.rows_per_block',
  ])
})

test('the settings say which key differs', () => {
  const other = resolveConfig({ env: { MONMOUTH_LEARN_LAG: '9' } }).config
  const [before, after] = [bindingDigest(config), bindingDigest(other)]
  const differing = Object.keys(before.settings).filter((key) => before.settings[key] !== after.settings[key])
  expect(differing).toEqual(['learn.lag'])
  expect([before.settings['learn.lag'], after.settings['learn.lag']]).toEqual(['1', '9'])
  expect(after.digest).not.toBe(before.digest)
})

test('spelling, order and origin do not matter', () => {
  const programs = (text: string) =>
    bindingDigest(resolveConfig({ env: {}, file: { path: 'a.toml', text: `[svm]\n${text}` } }).config).digest
  const [first, second] = publicKeys
  expect(programs(`denied_programs = ["${first}", "${second}"]`)).toBe(
    programs(`deniedPrograms = ["${second}", "${first}", "${first}"]`),
  )
  expect(programs('router = "0x000000000000000000000000000000000053564D"')).toBe(bindingDigest(config).digest)
  expect(programs(`programs = [{ id = "${first}", file = "a.so" }]`)).toBe(
    programs(`programs = [{ file = "moved/a.so", id = "${first}" }]`),
  )
})

test('what a part adds enters the digest under its own name', () => {
  const added = bindingDigest(config, { 'svm.programs.memo': 'sha256 1' })
  expect(added.settings['svm.programs.memo']).toBe('sha256 1')
  expect(added.digest).not.toBe(bindingDigest(config).digest)
  expect(added.digest).not.toBe(bindingDigest(config, { 'svm.programs.memo': 'sha256 2' }).digest)
})
