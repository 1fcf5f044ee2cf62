import { encodeAbiParameters, type Hex, toBytes } from 'viem'

/**
 * Contracts written by hand as EVM code, small enough to read here:
 *
 * - counter: adds one to slot 0 at every call.
 * - guard: reverts when the first argument is odd.
 * - token: `transfer(address,uint256)` moves balances (kept at the slot of the holder's address, wrapping, so that
 *   nobody need be funded), emits `Transfer` and returns true.
 */
export const contractCode = {
  counter: creation('60005460010160005500'),
  guard: creation('600435600116600a57005b60006000fd'),
  token: creation(
    // balance[caller] -= amount; balance[to] += amount
    `${'602435335403' + '3355'}${'602435600435540160043555'}` +
      // memory[0] = amount; log Transfer(caller, to, amount)
      `${'602435600052'}${'60043533'}7fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef60206000a3` +
      // return 1
      '600160005260206000f3',
  ),
} as const

export type ContractName = keyof typeof contractCode
export const contractNames = Object.keys(contractCode) as ContractName[]

/** `increment()`: the counter reads no selector, explorers do. */
export const incrementCall: Uint8Array = toBytes('0xd09de08a')

/** `check(uint256)`. */
export function guardCall(argument: bigint): Uint8Array {
  return toBytes(`0x919840ad${encodeAbiParameters([{ type: 'uint256' }], [argument]).slice(2)}` as Hex)
}

/** `transfer(address,uint256)`. */
export function tokenTransferCall(to: Uint8Array, amount: bigint): Uint8Array {
  const address = `0x${Buffer.from(to).toString('hex')}` as Hex
  const parameters = encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }], [address, amount])
  return toBytes(`0xa9059cbb${parameters.slice(2)}` as Hex)
}

/** Init code that returns the runtime code behind it: `CODECOPY(0, 11, length); RETURN(0, length)`. */
function creation(runtime: string): Uint8Array {
  const length = (runtime.length / 2).toString(16).padStart(2, '0')
  return toBytes(`0x60${length}80600b6000396000f3${runtime}` as Hex)
}
