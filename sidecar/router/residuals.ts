import type { StateWrite } from '../notification/stateWrite.ts'
import { createDecay, type Decay } from './decay.ts'
import { HashedRows, LEARNT } from './hashedRows.ts'

/** After the tag and the block learnt last: outcomes minus what was expected of them, and the information in them. */
const SUM = 2
const INFORMATION = 3
const WORDS = 4

/**
 * What residuals are kept of, and how fast they are forgotten: with every further outcome (`keep` is what is left), and
 * with time, in shares of `learn.halfLife`. A program turns bad or good at once, so it is forgotten faster.
 */
export const residualKinds = [
  { name: 'payer with program', keep: 0.95, life: 1 },
  { name: 'program', keep: 0.85, life: 1 / 2 },
] as const

/** Outcomes' worth of information at p = 1/2 that a residual is shrunk by; with less the estimate is nearly 0. */
export const SHRINKAGE = 2

/**
 * By how much outcomes of a thing differ from what its pattern let expect: the sum of (outcome - expected) over the
 * information (sum of p (1 - p)) plus `SHRINKAGE`, which is one Newton step of a logistic weight from 0.
 */
export class Residuals {
  readonly rows: HashedRows
  private readonly decays: readonly Decay[]

  constructor(kind: number, bits: number, halfLife: number) {
    this.rows = new HashedRows(kind, bits, WORDS)
    this.decays = residualKinds.map(({ life }) => createDecay(Math.max(1, Math.floor(halfLife * life))))
  }

  /** The residual as of `block`, 0 of what nothing is known; what its information leaves uncertain goes to `spread[at]`. */
  read(kind: number, bucket: number, tag: number, block: number, spread: Float64Array): number {
    const at = this.rows.find(bucket, tag)
    if (at < 0) {
      spread[kind] = 1 / SHRINKAGE
      return 0
    }
    const { floats, words } = this.rows
    const left = this.decays[kind]!(block - words[at + LEARNT]!)
    const information = floats[at + INFORMATION]! * left + SHRINKAGE
    spread[kind] = 1 / information
    return (floats[at + SUM]! * left) / information
  }

  /** Learns an outcome (0 to 1) of which `expected` was expected. */
  learn(kind: number, bucket: number, tag: number, block: number, outcome: number, expected: number): void {
    const { floats, words } = this.rows
    const known = this.rows.find(bucket, tag)
    const age = known < 0 ? 0 : block - words[known + LEARNT]!
    const at = this.rows.claim(bucket, tag, block)
    const left = this.decays[kind]!(age) * residualKinds[kind]!.keep
    floats[at + SUM] = floats[at + SUM]! * left + outcome - expected
    floats[at + INFORMATION] = floats[at + INFORMATION]! * left + expected * (1 - expected)
  }

  flush(writes: StateWrite[]): void {
    this.rows.flush(writes)
  }
}
