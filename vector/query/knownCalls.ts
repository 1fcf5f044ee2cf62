/** Words people use for what a transaction does, with the calls they mean. A test derives each selector from its signature. */
export const knownCalls: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  transfer: {
    'transfer(address,uint256)': '0xa9059cbb',
    'transferFrom(address,address,uint256)': '0x23b872dd',
  },
  transferfrom: { 'transferFrom(address,address,uint256)': '0x23b872dd' },
  approve: { 'approve(address,uint256)': '0x095ea7b3' },
  approval: { 'approve(address,uint256)': '0x095ea7b3' },
  swap: {
    'swapExactETHForTokens(uint256,address[],address,uint256)': '0x7ff36ab5',
    'swapExactTokensForETH(uint256,uint256,address[],address,uint256)': '0x18cbafe5',
    'swapExactTokensForTokens(uint256,uint256,address[],address,uint256)': '0x38ed1739',
    'swapETHForExactTokens(uint256,address[],address,uint256)': '0xfb3bdb41',
    'exactInput((bytes,address,uint256,uint256,uint256))': '0xc04b8d59',
    'execute(bytes,bytes[],uint256)': '0x3593564c',
  },
  mint: { 'mint(address,uint256)': '0x40c10f19', 'mint(uint256)': '0xa0712d68', 'mint()': '0x1249c58b' },
  burn: { 'burn(uint256)': '0x42966c68' },
  deposit: { 'deposit()': '0xd0e30db0' },
  withdraw: { 'withdraw(uint256)': '0x2e1a7d4d' },
  multicall: { 'multicall(bytes[])': '0xac9650d8', 'multicall(uint256,bytes[])': '0x5ae401dc' },
  claim: { 'claim()': '0x4e71d92d' },
  stake: { 'stake(uint256)': '0xa694fc3a' },
  permit: { 'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)': '0xd505accf' },
}

const signatures = new Map(
  Object.values(knownCalls).flatMap((calls) =>
    Object.entries(calls).map(([signature, selector]) => [selector, signature] as const),
  ),
)

/** The call a selector usually stands for: four bytes can stand for others as well. */
export function knownSignature(selector: string): string | undefined {
  return signatures.get(selector)
}
