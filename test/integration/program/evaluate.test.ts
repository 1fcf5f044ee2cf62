import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { EvaluationReport } from '../../../sidecar/evaluation/report.ts'
import { documentOf, errorOf } from '../../support/program/programAnswers.ts'
import { runProgram } from '../../support/program/startProgram.ts'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'
import { blockJson, type Call } from '../../unit/evaluation/support/recordedChain.ts'

/** Contract 1 succeeds, contract 2 fails every second time, nobody knows of contract 3. */
function recording(folder: string, { receipts: hasReceipts = true } = {}): string {
  mkdirSync(folder, { recursive: true })
  const blocks = Array.from({ length: 30 }, (_, index) => {
    const calls: Call[] = [1, 1, 2, 2].map((contract, row) => ({
      contract,
      method: index % 5,
      succeeded: contract === 1 || (index + row) % 2 === 0,
    }))
    return blockJson(index + 1, [...calls, { contract: 3, succeeded: undefined }])
  })
  const lines = (documents: readonly unknown[]) =>
    documents.map((each) => `${JSON.stringify(each)}\n`).join('')
  writeFileSync(join(folder, 'blocks.jsonl'), lines(blocks.map(({ block }) => block)))
  if (hasReceipts) {
    const receipts = blocks.map(({ block: { hash }, receipts }) => ({ hash, receipts }))
    writeFileSync(join(folder, 'receipts.jsonl'), lines(receipts))
  }
  return join(folder, 'blocks.jsonl')
}

const withoutLatency = ({ inputs, ...rest }: EvaluationReport) => ({
  ...rest,
  inputs: inputs.map(({ latency: _, ...input }) => input),
})

describe('evaluate', () => {
  test('on recorded and generated blocks: one document, the same again but for the latencies', async () => {
    await using folder = await temporaryFolder()
    const file = recording(folder.path)
    const out = join(folder.path, 'report')
    const args = ['evaluate', file, '--generate', '12', '--seed', 'seven', '--json']
    const [first, second] = [await runProgram([...args, '--out', out]), await runProgram(args)]
    expect([first.code, second.code], first.stderr + second.stderr).toEqual([0, 0])
    const report = documentOf<EvaluationReport>(first)
    expect(withoutLatency(documentOf<EvaluationReport>(second))).toEqual(withoutLatency(report))
    expect(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'))).toEqual(report)
    for (const picture of ['reliability.svg', 'coverage.svg']) {
      expect(readFileSync(join(out, picture), 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
    }

    const [recorded, generated] = report.inputs
    expect(recorded).toMatchObject({ kind: 'recorded', name: 'blocks.jsonl', blocks: 30, unknown: 30 })
    expect(recorded!.slices[0]).toMatchObject({ name: 'all', rows: 120, failed: 30, blocks: 30 })
    const predictors = recorded!.slices[0]!.predictors.map(({ name }) => name)
    expect(predictors).toContain('pattern rate')
    expect(predictors).not.toContain('truth')
    expect(generated).toMatchObject({ kind: 'generated', blocks: 12, unknown: 0 })
    const truth = generated!.slices[0]!.predictors.find(({ name }) => name === 'truth')!
    expect(truth.oursAgainstIt!.logLoss.verdict).toBe('loses')
    expect(generated!.variants.map(({ name }) => name)).toContain('no context')
  })

  test('another seed is another chain', async () => {
    const [a, b] = await Promise.all(
      ['1', '2'].map((seed) => runProgram(['evaluate', '--generate', '4', '--seed', seed, '--json'])),
    )
    const [first, second] = [a!, b!].map((ended) => documentOf<EvaluationReport>(ended).inputs[0]!.slices)
    expect(first).not.toEqual(second)
  })

  test('the options of the router are those of the configuration', async () => {
    await using folder = await temporaryFolder()
    const file = recording(folder.path)
    const [usual, seeds] = await Promise.all(
      [[], ['--set', 'decision_engine.model_type=seed']].map((flags) =>
        runProgram(['evaluate', file, ...flags, '--json']),
      ),
    )
    const ours = [usual!, seeds!].map((ended) => {
      const { slices, variants } = documentOf<EvaluationReport>(ended).inputs[0]!
      return { loss: slices[0]!.predictors[0]!.logLoss.value, version: variants[0]!.modelVersion }
    })
    expect(ours[0]!.version).not.toBe(ours[1]!.version)
    expect(ours[0]!.loss).not.toBe(ours[1]!.loss)
  })

  test('for people: tables and verdicts in words, nothing on stdout before', async () => {
    await using folder = await temporaryFolder()
    const ended = await runProgram(['evaluate', recording(folder.path)])
    expect(ended.code, ended.stderr).toBe(0)
    expect(ended.stdout).toMatch(/^recorded blocks: blocks\.jsonl\n/)
    expect(ended.stdout).toMatch(/predictor +log loss +Brier +ECE/)
    expect(ended.stdout).toMatch(/by log loss ours (wins|ties|loses|is the same)/)
  })

  test('help has an example', async () => {
    const { code, stdout } = await runProgram(['evaluate', '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('--generate <blocks>')
    expect(stdout).toMatch(/Example:\s+monmouth evaluate blocks\.jsonl\.gz --generate \d+/)
  })
})

describe('what evaluate cannot do it says, with a code', () => {
  test.each([
    { name: 'nothing to evaluate on', args: [], code: 'EVALUATE_OPTIONS', exit: 2 },
    { name: 'no number of blocks', args: ['--generate', 'many'], code: 'EVALUATE_OPTIONS', exit: 2 },
    { name: 'less than none', args: ['--generate=-3'], code: 'EVALUATE_OPTIONS', exit: 2 },
    { name: 'a file that is not there', args: ['no-such-file.jsonl'], code: 'REPLAY_FILE', exit: 2 },
    { name: 'an option of no kind', args: ['--generate', '1', '--set', 'learn.lag=0'], exit: 2 },
  ])('$name', async ({ args, code, exit }) => {
    const ended = await runProgram(['evaluate', ...args, '--json'])
    expect(ended.code, ended.stderr).toBe(exit)
    if (code) expect(errorOf(ended).code).toBe(code)
    expect(ended.stderr).not.toBe('')
  })

  test('a file of something else, blocks without receipts, a folder that is a file', async () => {
    await using folder = await temporaryFolder()
    const notes = join(folder.path, 'notes.jsonl')
    writeFileSync(notes, 'these are no blocks\n')
    const other = await runProgram(['evaluate', notes, '--json'])
    expect([other.code, errorOf(other).code]).toEqual([2, 'REPLAY_FILE'])
    expect(errorOf(other).message).toContain('notes.jsonl:1')

    const bare = await runProgram([
      'evaluate',
      recording(join(folder.path, 'bare'), { receipts: false }),
      '--json',
    ])
    expect([bare.code, errorOf(bare).code]).toEqual([1, 'EVALUATE_NOTHING_KNOWN'])
    expect(errorOf(bare).message).toContain('receipts.jsonl')

    const unwritable = await runProgram([
      ...['evaluate', recording(join(folder.path, 'good')), '--json'],
      ...['--out', join(notes, 'report')],
    ])
    expect([unwritable.code, errorOf(unwritable).code]).toEqual([1, 'EVALUATE_OUT'])
  })
})
