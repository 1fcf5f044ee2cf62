/**
 * exp and log made of additions, multiplications and divisions alone, which IEEE 754 rounds the same everywhere. Those of
 * `Math` may differ between engines in the last bit, and what is stored or decided may not.
 */

/** ln 2 in two parts: the first ends in zero bits, so that whole multiples of it up to 2^20 are exact. */
const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10
const { LN2, SQRT2 } = Math

/** 1 / k! from k = 13 down to 0: the next term is below 5e-18 for |r| ≤ ln 2 / 2. */
const EXP_TERMS = new Float64Array(14)
for (let k = 0, factorial = 1; k < 14; k++) {
  EXP_TERMS[13 - k] = 1 / factorial
  factorial *= k + 1
}
/** 2 / k for odd k from 23 down to 1, of 2 atanh(z): the next term is below 1e-20 for |z| ≤ 3 - 2√2. */
const LOG_TERMS = Float64Array.from({ length: 12 }, (_, i) => 2 / (23 - 2 * i))

/** 2^-1022 to 2^1023, each exact. */
const POWERS = new Float64Array(2046)
POWERS[1022] = 1
for (let k = 1; k <= 1023; k++) POWERS[1022 + k] = POWERS[1021 + k]! * 2
for (let k = 1; k <= 1022; k++) POWERS[1022 - k] = POWERS[1023 - k]! / 2

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)

/** e^x within 1e-15 of it, relatively; 0 below -708, e^709 above 709. */
export function exp(x: number): number {
  if (x < -708) return 0
  const bounded = Math.min(x, 709)
  const whole = Math.floor(bounded / LN2 + 0.5)
  const rest = bounded - whole * LN2_HIGH - whole * LN2_LOW
  let sum = EXP_TERMS[0]!
  for (let k = 1; k < 14; k++) sum = sum * rest + EXP_TERMS[k]!
  return sum * POWERS[1022 + whole]!
}

/** Natural logarithm of a positive normal number, within 1e-15 of it, relatively. */
export function log(x: number): number {
  double[0] = x
  const high = words[1]!
  let whole = (high >>> 20) - 1023
  words[1] = (high & 0xfffff) | 0x3ff00000
  let mantissa = double[0]
  if (mantissa > SQRT2) {
    mantissa /= 2
    whole++
  }
  const z = (mantissa - 1) / (mantissa + 1)
  const square = z * z
  let sum = LOG_TERMS[0]!
  for (let k = 1; k < 12; k++) sum = sum * square + LOG_TERMS[k]!
  return whole * LN2_HIGH + (whole * LN2_LOW + z * sum)
}

/** 1 / (1 + e^-x): 0 to 1. */
export function sigmoid(x: number): number {
  return 1 / (1 + exp(-x))
}

/** ln(p / (1 - p)) of a share between 0 and 1, neither included. */
export function logit(p: number): number {
  return log(p / (1 - p))
}
