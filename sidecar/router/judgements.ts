/** What the model makes of one envelope, as the blob holds it. */
export type Judgement = {
  /** Chance that it runs to success on the SVM, and what it lies between: 0 to 1. */
  readonly success: number
  readonly lower: number
  readonly upper: number
  /** The chance above which running it pays: what a failure costs, against what a success is worth. */
  readonly needed: number
  /** Compute units: the mean of what ran before, and what nine of ten stay below; undefined where nothing ran. */
  readonly computeUnits: { readonly mean: number; readonly upper: number } | undefined
  /** 0 to 100, and where it comes from: 0 to 1 each. */
  readonly risk: number
  readonly riskParts: Readonly<Record<(typeof riskParts)[number], number>>
  /** What each input adds to the log odds of success. */
  readonly because: Readonly<Record<(typeof judgedInputs)[number], number>>
  /** Hash of the weights it was judged with: equal on every instance at the same block. */
  readonly weights: string
}

/** Inputs of the model, in the order they are added up. */
export const judgedInputs = ['pattern', 'bias', 'payer with program', 'program', 'compute limit'] as const
export const riskParts = ['unlike', 'novelty', 'failing'] as const

/** Bytes before the judgements: the hash of the weights. */
export const WEIGHTS_HASH = 8
/** Row as u32; success, lower, upper and needed as float; compute units (mean, upper) as u32; then bytes. */
export const JUDGEMENT = 40
const RISK = 28
const BECAUSE = RISK + 1 + riskParts.length
/** Log odds are kept in sixteenths, within ±8. */
const STEPS = 16

/** The bytes of `count` judgements in the blob. */
export function judgementBytes(count: number): number {
  return count === 0 ? 0 : WEIGHTS_HASH + count * JUDGEMENT
}

/** How many judgements a section holds. */
export function judgedIn(section: Uint8Array): number {
  return section.length === 0 ? 0 : (section.length - WEIGHTS_HASH) / JUDGEMENT
}

/** Numbers of one judgement; `risks` and `inputs` (log odds) in the order of their names. */
export type JudgementFacts = {
  row: number
  success: number
  lower: number
  upper: number
  needed: number
  meanUnits: number
  upperUnits: number
  risk: number
  readonly risks: Float64Array
  readonly inputs: Float64Array
}

export function writeJudgement(view: DataView, at: number, facts: JudgementFacts): void {
  view.setUint32(at, facts.row, true)
  view.setFloat32(at + 4, facts.success, true)
  view.setFloat32(at + 8, facts.lower, true)
  view.setFloat32(at + 12, facts.upper, true)
  view.setFloat32(at + 16, facts.needed, true)
  view.setUint32(at + 20, facts.meanUnits, true)
  view.setUint32(at + 24, facts.upperUnits, true)
  view.setUint8(at + RISK, facts.risk)
  for (let i = 0; i < riskParts.length; i++) {
    view.setUint8(at + RISK + 1 + i, Math.floor(facts.risks[i]! * 255 + 0.5))
  }
  for (let i = 0; i < judgedInputs.length; i++) {
    const steps = Math.floor(facts.inputs[i]! * STEPS + 0.5)
    view.setInt8(at + BECAUSE + i, Math.max(-128, Math.min(127, steps)))
  }
}

/** The judgements of a blob's section by row. */
export function readJudgements(bytes: Buffer, at: number, count: number): Map<number, Judgement> {
  const judgements = new Map<number, Judgement>()
  const weights = bytes.toString('hex', at, at + WEIGHTS_HASH)
  for (let i = 0; i < count; i++) {
    const start = at + WEIGHTS_HASH + i * JUDGEMENT
    const mean = bytes.readUInt32LE(start + 20)
    const upper = bytes.readUInt32LE(start + 24)
    judgements.set(bytes.readUInt32LE(start), {
      success: bytes.readFloatLE(start + 4),
      lower: bytes.readFloatLE(start + 8),
      upper: bytes.readFloatLE(start + 12),
      needed: bytes.readFloatLE(start + 16),
      computeUnits: mean === 0 && upper === 0 ? undefined : { mean, upper },
      risk: bytes[start + RISK]!,
      riskParts: named(riskParts, (k) => bytes[start + RISK + 1 + k]! / 255),
      because: named(judgedInputs, (k) => bytes.readInt8(start + BECAUSE + k) / STEPS),
      weights,
    })
  }
  return judgements
}

function named<N extends string>(names: readonly N[], value: (index: number) => number): Record<N, number> {
  return Object.fromEntries(names.map((name, i) => [name, value(i)])) as Record<N, number>
}
