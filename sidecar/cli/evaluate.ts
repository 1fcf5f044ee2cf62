import { basename } from 'node:path'
import type { FlagValues } from '#config'
import { evaluate as evaluateInputs, writeReport } from '../evaluation/evaluate.ts'
import { EvaluationError } from '../evaluation/evaluationError.ts'
import { formatReport } from '../evaluation/formatReport.ts'
import { labelRecorded } from '../evaluation/labelRecorded.ts'
import { openTracedBlock } from '../evaluation/tracedBlock.ts'
import type { EvaluationInput } from '../evaluation/types.ts'
import { blockFromJson } from '../exex/jsonrpc/toBlock.ts'
import { routerOptions } from '../openStages.ts'
import { type CommandContext, prepare, writeJson } from './commandContext.ts'
import { exitCodes } from './exitCodes.ts'
import { loadHarness } from './loadHarness.ts'

/** Milliseconds between two lines of progress. */
const progressEveryMs = 2000

/** Test-then-train evaluation of the scorer, on recorded blocks, on generated ones, or on both. */
export async function evaluate(flags: FlagValues, context: CommandContext): Promise<number> {
  const { config, logger, json } = await prepare('evaluate', flags, context)
  const { signal, stdout, stderr } = context
  const { files, generate, seed, out } = readFlags(flags)
  const inputs: EvaluationInput[] = []
  if (files.length > 0) {
    const name = files.map((file) => basename(file)).join(', ')
    inputs.push({ kind: 'recorded', name, blocks: labelRecorded(await readFiles(files)) })
  }
  if (generate > 0) {
    // Loaded when wanted: the VM and the Solana library take their time.
    const { generateBlocks } = await import('../evaluation/generator/generateBlocks.ts')
    const options = { blocks: generate, seed, router: config.svm.router }
    inputs.push({
      kind: 'generated',
      name: `${generate} blocks of seed ${seed}`,
      blocks: generateBlocks(options),
    })
  }
  let told = performance.now()
  const report = await evaluateInputs(
    inputs,
    { router: routerOptions(config), seed },
    {
      logger,
      signal,
      onBlock: ({ blocks, scored }) => {
        if (performance.now() - told < progressEveryMs) return
        told = performance.now()
        stderr.write(`${blocks} blocks, ${scored} transactions scored\n`)
      },
    },
  )
  if (out !== undefined) writeReport(out, report)
  if (json) writeJson(stdout, report)
  else stdout.write(formatReport(report))
  return exitCodes.ok
}

/** Recorded blocks as one chain of their own, as `replay` plays them. Throws HarnessError `REPLAY_FILE`. */
async function readFiles(files: readonly string[]) {
  const { createReplayChain, openRecording } = await loadHarness()
  const recording = openRecording(files, (json, receipts, options) => {
    const traced = openTracedBlock(json)
    return traced === undefined
      ? blockFromJson(json, receipts, options)
      : blockFromJson(traced.block, traced.receipts)
  })
  return (await createReplayChain(recording)).blocks(1n)
}

function readFlags(flags: FlagValues) {
  const files = (flags.files ?? []) as readonly string[]
  const generate = flags.generate === undefined ? 0 : Number(flags.generate)
  const problems: string[] = []
  if (!Number.isSafeInteger(generate) || generate < 0) {
    problems.push(`--generate: a whole number of blocks, not ${flags.generate}`)
  } else if (files.length === 0 && generate === 0) {
    problems.push('files of recorded blocks, --generate with a number of blocks, or both, not neither')
  }
  if (problems.length > 0) {
    throw new EvaluationError('EVALUATE_OPTIONS', `expected ${problems.join('; ')}`)
  }
  return {
    files,
    generate,
    seed: String(flags.seed ?? 1),
    out: flags.out === undefined ? undefined : String(flags.out),
  }
}
