/** Nearest a prediction may come to 0 or 1 here, or one failure of what was held for certain would be an infinite loss. */
export const CLAMP = 1 / 1020

/** Minus the natural logarithm of the probability given to what happened, by row; in nats, lower is better. */
export function logLosses(p: Float64Array, succeeded: Uint8Array): Float64Array {
  return p.map((given, row) => {
    const clamped = Math.min(Math.max(given, CLAMP), 1 - CLAMP)
    return -Math.log(succeeded[row] === 1 ? clamped : 1 - clamped)
  })
}
