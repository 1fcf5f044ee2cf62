/** The factor a count is left with after `blocks` blocks, 1 for none. */
export type Decay = (blocks: number) => number

/** Counts below this are as good as never made: 20 half-lives after a single outcome. */
export const FADED = 1 / 1_048_576

const TABLE = 1024
const SQUARES = 53

/**
 * Exponential decay by half-life in blocks (a whole number, 1 or more). Made of multiplications alone, which IEEE 754
 * rounds the same everywhere; `Math.pow` and `Math.exp` may differ between engines and would split instances.
 */
export function createDecay(halfLife: number): Decay {
  const perBlock = rootOfHalf(halfLife)
  const squares = new Float64Array(SQUARES)
  squares[0] = perBlock
  for (let i = 1; i < SQUARES; i++) squares[i] = squares[i - 1]! * squares[i - 1]!
  const compute = (blocks: number): number => {
    let factor = 1
    for (let i = 0, left = blocks; left > 0; i++, left = Math.floor(left / 2)) {
      if (left % 2 === 1) factor *= squares[i]!
    }
    return factor
  }
  const table = new Float64Array(TABLE)
  for (let i = 0; i < TABLE; i++) table[i] = compute(i)
  return (blocks) => (blocks < TABLE ? table[blocks]! : compute(blocks))
}

/** The largest double whose `n`-th power by squaring is at most a half, found by bisection. */
function rootOfHalf(n: number): number {
  let low = 0.5
  let high = 1
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (wholePower(middle, n) > 0.5) high = middle
    else low = middle
  }
  return low
}

function wholePower(base: number, exponent: number): number {
  let result = 1
  let square = base
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square
    square *= square
  }
  return result
}
