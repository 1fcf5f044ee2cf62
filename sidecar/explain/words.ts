import type { DecisionView } from '../api/view.ts'
import { escapeUntrusted } from './markUntrusted.ts'

/** What each part of a score says, given the part as written. A part not named here is told by its name. */
const parts: Readonly<Record<string, (percent: string, part: number) => string>> = {
  success: (percent) => `calls like this succeed an estimated ${percent} of the time`,
  margin: (percent) => `that estimate may be off by ${percent} either way`,
  context: (percent) => `the nearest known calls succeed ${percent} of the time`,
  evidence: (percent) =>
    `${percent} of the estimate rests on outcomes of this very call, the rest on what is alike`,
  novelty: (percent, part) =>
    part > 0.99 ? 'the call was never seen before' : `${percent} new, where 100 % was never seen before`,
  safety: (percent) => `gas, calldata and value are ${percent} like what this call usually has`,
  cost: (percent) => `it costs ${percent} of the most a transaction can, on a logarithmic scale`,
  congestion: (percent) => `its parent blocks were ${percent} full`,
  risk: (percent) => `${percent} of the greatest risk`,
  computeUnits: (_, part) =>
    part === 0
      ? 'nothing like it has run yet'
      : `nine of ten calls like it use at most ${(part * 100).toFixed(2)} % of the compute units there are`,
  complexity: (percent) => `its calldata is ${percent} as complex as can be`,
  anomaly: (percent) => `its calldata is ${percent} unusual`,
  gas: (percent) => `${percent} of what cheap gas is worth`,
  history: (percent) => `calls like this succeeded ${percent} of the time`,
}

/** One part of a score in words, with its number: `success 0.874: calls like this succeed an estimated 87.4 % of the time`. */
export function partWords(name: string, value: number): string {
  const says = Object.hasOwn(parts, name) ? parts[name]!(`${(value * 100).toFixed(1)} %`, value) : undefined
  return `${escapeUntrusted(name)} ${value.toFixed(3)}${says === undefined ? '' : `: ${says}`}`
}

const routes: Readonly<Record<string, string>> = {
  executeOnSvm: 'run on the SVM (executeOnSvm)',
  executeOnEvm: 'leave to the EVM (executeOnEvm)',
  skip: 'skip it (skip)',
}

export function routeWords(route: string): string {
  return Object.hasOwn(routes, route) ? routes[route]! : escapeUntrusted(route)
}

/** What became of one item of an envelope, in a sentence. */
export function outcomeWords(outcome: {
  readonly item: number
  readonly status: string
  readonly reason: string | null
  readonly computeUnits: number
}): string {
  const { item, status, reason, computeUnits } = outcome
  const why = reason === null ? '' : ` (${escapeUntrusted(reason)})`
  const units = computeUnits > 0 ? `, using ${computeUnits} compute units` : ''
  return `Outcome of its SVM item ${item}: ${escapeUntrusted(status)}${why}${units}.`
}

/** What the model of the scorer made of an envelope, in a sentence with all its numbers. */
export function judgementWords(judgement: NonNullable<DecisionView['judgement']>): string {
  const { success, lower, upper, because, risk, riskParts, computeUnits, weights } = judgement
  const share = (part: number) => `${(part * 100).toFixed(1)} %`
  const odds = Object.entries(because).map(
    ([name, value]) => `${name} ${value < 0 ? '' : '+'}${value.toFixed(2)}`,
  )
  const grounds = Object.entries(riskParts).map(([name, value]) => `${name} ${value.toFixed(2)}`)
  const units =
    computeUnits === undefined
      ? 'nothing like it has run yet, so its compute units are unknown'
      : `about ${computeUnits.mean} compute units, nine of ten below ${computeUnits.upper}`
  return (
    `Judged with weights ${weights}: it succeeds with ${share(success)}, between ${share(lower)} and ${share(upper)}; ` +
    `the log odds are the sum of ${odds.join(', ')}; risk ${risk} of 100, from ${grounds.join(', ')}; ${units}.`
  )
}
