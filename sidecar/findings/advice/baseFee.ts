/** EIP-1559: a block aims at half of its limit, and the base fee moves by an eighth at most. */
const ELASTICITY = 2n
const MAX_CHANGE = 8n

/** What a block that follows is measured by. */
export type BaseFeeParent = {
  readonly gasLimit: bigint
  readonly gasUsed: bigint
  /** wei. */
  readonly baseFeePerGas: bigint
}

/** The base fee of the block after this one: exact, by the rule of EIP-1559 as mainnet has it. */
export function nextBaseFee({ gasLimit, gasUsed, baseFeePerGas }: BaseFeeParent): bigint {
  const target = gasLimit / ELASTICITY
  if (target === 0n || gasUsed === target) return baseFeePerGas
  if (gasUsed > target) {
    const more = (baseFeePerGas * (gasUsed - target)) / target / MAX_CHANGE
    return baseFeePerGas + (more > 0n ? more : 1n)
  }
  return baseFeePerGas - (baseFeePerGas * (target - gasUsed)) / target / MAX_CHANGE
}

/**
 * The base fee `blocks` blocks after this one, if those in between are all filled to the same part: 0 empty, 10 000 full.
 * Exact for 1, whatever the part.
 */
export function baseFeeAfter(parent: BaseFeeParent, blocks: number, filledBps: bigint): bigint {
  const { gasLimit } = parent
  let fee = nextBaseFee(parent)
  for (let i = 1; i < blocks; i++) {
    fee = nextBaseFee({ gasLimit, gasUsed: (gasLimit * filledBps) / 10_000n, baseFeePerGas: fee })
  }
  return fee
}
