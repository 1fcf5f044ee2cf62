/** What a plain call with this calldata uses: the floor of EIP-7623, 40 a non-zero byte and 10 a zero one. */
export function envelopeGas(data: Uint8Array): bigint {
  let zeros = 0
  for (const byte of data) if (byte === 0) zeros += 1
  return 21_000n + BigInt(40 * data.length - 30 * zeros)
}
