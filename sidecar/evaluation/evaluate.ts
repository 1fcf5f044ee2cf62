import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RouterOptions } from '../router/types.ts'
import { drawCoverage } from './drawCoverage.ts'
import { drawReliability } from './drawReliability.ts'
import { type EvaluateDependencies, evaluateBlocks } from './evaluateBlocks.ts'
import { EvaluationError } from './evaluationError.ts'
import type { EvaluationReport, InputReport } from './report.ts'
import { summarise } from './summarise.ts'
import type { EvaluationInput } from './types.ts'

export type EvaluateOptions = {
  /** The router as it would run. */
  readonly router: RouterOptions
  /** Of the resampling. */
  readonly seed: string
  /** Resampled sets of blocks behind every interval. Default 1000. */
  readonly draws?: number
}

/** Digits that are kept of every figure: more would be noise, and differ between engines' logarithms. */
const DIGITS = 6

/**
 * Evaluates the router on each input, one after the other, each with nothing learnt before. The same inputs and options
 * give the same report, latencies apart. Throws EvaluationError, and what reading an input throws.
 */
export async function evaluate(
  inputs: readonly EvaluationInput[],
  { router, seed, draws = 1000 }: EvaluateOptions,
  dependencies: EvaluateDependencies,
): Promise<EvaluationReport> {
  const reports: InputReport[] = []
  for (const input of inputs) {
    const evaluated = await evaluateBlocks(input, router, dependencies)
    reports.push(summarise(input, evaluated, { seed, draws }))
  }
  return rounded({ version: 1, seed, draws, inputs: reports })
}

/** Writes `report.json`, `reliability.svg` and `coverage.svg` into a folder, which is made. Throws `EVALUATE_OUT`. */
export function writeReport(folder: string, report: EvaluationReport): void {
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, null, 1)}\n`)
    writeFileSync(join(folder, 'reliability.svg'), drawReliability(report))
    writeFileSync(join(folder, 'coverage.svg'), drawCoverage(report))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new EvaluationError(
      'EVALUATE_OUT',
      `expected to write the report into ${folder}: ${reason}. Give --out a folder that can be written`,
      {
        cause,
      },
    )
  }
}

function rounded<T>(value: T): T {
  if (typeof value === 'number') return Number(value.toPrecision(DIGITS)) as T
  if (Array.isArray(value)) return value.map(rounded) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, rounded(each)])) as T
}
