import { sigmoid } from './expLog.ts'

/** Variance of a scale before anything is learnt, and at most. */
const VARIANCE = 0.05
/** What an outcome adds to it: scales follow a world that changes. */
const DRIFT = 1e-6

/**
 * Logistic regression over a few inputs, learnt outcome by outcome: a mean and a precision of its own for each scale (a
 * Gaussian with a diagonal covariance, one Laplace step an outcome). Doubles, added up in the order of the inputs.
 */
export class InputScales {
  /** Means, then variances. */
  readonly values: Float64Array
  private readonly inputs: number
  private readonly start: readonly number[]

  constructor(start: readonly number[]) {
    this.start = start
    this.inputs = start.length
    this.values = new Float64Array(2 * start.length)
    this.reset()
  }

  /** Forgets everything learnt. */
  reset(): void {
    this.values.fill(VARIANCE)
    this.values.set(this.start)
  }

  /** The log odds of `x[at…]`. */
  predict(x: Float64Array, at: number): number {
    const { values, inputs } = this
    let sum = 0
    for (let i = 0; i < inputs; i++) sum += values[i]! * x[at + i]!
    return sum
  }

  /** The variance of the log odds that comes from the scales. */
  variance(x: Float64Array, at: number): number {
    const { values, inputs } = this
    let sum = 0
    for (let i = 0; i < inputs; i++) sum += values[inputs + i]! * x[at + i]! * x[at + i]!
    return sum
  }

  /** Learns an outcome, 0 to 1. */
  learn(x: Float64Array, at: number, outcome: number): void {
    const { values, inputs } = this
    for (let i = inputs; i < 2 * inputs; i++) values[i] = Math.min(VARIANCE, values[i]! + DRIFT)
    const p = sigmoid(this.predict(x, at))
    const curvature = p * (1 - p)
    const whole = 1 + curvature * this.variance(x, at)
    for (let i = 0; i < inputs; i++) {
      const step = values[inputs + i]! * x[at + i]!
      values[i] = values[i]! + (step * (outcome - p)) / whole
      values[inputs + i] = values[inputs + i]! - (step * step * curvature) / whole
    }
  }
}
