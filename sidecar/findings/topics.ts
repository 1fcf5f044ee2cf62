import type { LiquidationProtocol, SwapProtocol } from './types.ts'

/** What a log of interest means. */
export type LogMeaning =
  | { readonly type: 'transfer' }
  | { readonly type: 'sync' }
  | { readonly type: 'swap'; readonly protocol: SwapProtocol }
  | { readonly type: 'liquidation'; readonly protocol: LiquidationProtocol }

/** An event: its declaration in the contract's source, and the Keccak-256 of its signature, which is the first topic. */
export type EventTopic = {
  readonly declaration: string
  readonly topic: `0x${string}`
  readonly source: string
  readonly meaning: LogMeaning
}

const swap = (protocol: SwapProtocol) => ({ type: 'swap', protocol }) as const
const liquidation = (protocol: LiquidationProtocol) => ({ type: 'liquidation', protocol }) as const

/** The events that are read. A test derives every topic from its declaration. */
export const eventTopics: readonly EventTopic[] = [
  {
    declaration: 'event Transfer(address indexed from, address indexed to, uint256 value)',
    topic: '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef',
    source: 'ERC-20',
    meaning: { type: 'transfer' },
  },
  {
    declaration: 'event Sync(uint112 reserve0, uint112 reserve1)',
    topic: '0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1',
    source: 'Uniswap/v2-core UniswapV2Pair.sol',
    meaning: { type: 'sync' },
  },
  {
    declaration:
      'event Swap(address indexed sender, uint256 amount0In, uint256 amount1In, uint256 amount0Out, uint256 amount1Out, address indexed to)',
    topic: '0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822',
    source: 'Uniswap/v2-core UniswapV2Pair.sol',
    meaning: swap('uniswap-v2'),
  },
  {
    declaration:
      'event Swap(address indexed sender, address indexed recipient, int256 amount0, int256 amount1, uint160 sqrtPriceX96, uint128 liquidity, int24 tick)',
    topic: '0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67',
    source: 'Uniswap/v3-core IUniswapV3PoolEvents.sol',
    meaning: swap('uniswap-v3'),
  },
  {
    declaration:
      'event Swap(address indexed sender, address indexed recipient, int256 amount0, int256 amount1, uint160 sqrtPriceX96, uint128 liquidity, int24 tick, uint128 protocolFeesToken0, uint128 protocolFeesToken1)',
    topic: '0x19b47279256b2a23a1665c810c8d55a1758940ee09377d4f8d26497a3577dc83',
    source: 'pancakeswap/pancake-v3-contracts IPancakeV3PoolEvents.sol',
    meaning: swap('pancake-v3'),
  },
  {
    declaration:
      'event Swap(bytes32 indexed id, address indexed sender, int128 amount0, int128 amount1, uint160 sqrtPriceX96, uint128 liquidity, int24 tick, uint24 fee)',
    topic: '0x40e9cecb9f5f1f1c5b9c97dec2917b7ee92e57ba5563708daca94dd84ad7112f',
    source: 'Uniswap/v4-core IPoolManager.sol',
    meaning: swap('uniswap-v4'),
  },
  {
    declaration:
      'event TokenExchange(address indexed buyer, int128 sold_id, uint256 tokens_sold, int128 bought_id, uint256 tokens_bought)',
    topic: '0x8b3e96f2b889fa771c53c981b40daf005f63f637f1869f707052d15a3dd97140',
    source: 'curvefi/curve-contract StableSwap3Pool.vy',
    meaning: swap('curve'),
  },
  {
    declaration:
      'event TokenExchangeUnderlying(address indexed buyer, int128 sold_id, uint256 tokens_sold, int128 bought_id, uint256 tokens_bought)',
    topic: '0xd013ca23e77a65003c2c659c5442c00c805371b7fc1ebd4c206c41d1536bd90b',
    source: 'curvefi/curve-contract StableSwapY.vy',
    meaning: swap('curve'),
  },
  {
    declaration:
      'event TokenExchange(address indexed buyer, uint256 sold_id, uint256 tokens_sold, uint256 bought_id, uint256 tokens_bought)',
    topic: '0xb2e76ae99761dc136e598d4a629bb347eccb9532a5f8bbd72e18467c3c34cc98',
    source: 'curvefi/curve-crypto-contract CurveCryptoSwap.vy',
    meaning: swap('curve'),
  },
  {
    declaration:
      'event TokenExchange(address indexed buyer, uint256 sold_id, uint256 tokens_sold, uint256 bought_id, uint256 tokens_bought, uint256 fee, uint256 packed_price_scale)',
    topic: '0x143f1f8e861fbdeddd5b46e844b7d3ac7b86a122f36e8c463859ee6811b1f29c',
    source: 'curvefi/tricrypto-ng CurveTricryptoOptimized.vy',
    meaning: swap('curve'),
  },
  {
    declaration:
      'event LOG_SWAP(address indexed caller, address indexed tokenIn, address indexed tokenOut, uint256 tokenAmountIn, uint256 tokenAmountOut)',
    topic: '0x908fb5ee8f16c6bc9bc3690973819f32a4d4b10188134543c88706e0e1d43378',
    source: 'balancer/balancer-core BPool.sol',
    meaning: swap('balancer-v1'),
  },
  {
    declaration:
      'event Swap(bytes32 indexed poolId, address indexed tokenIn, address indexed tokenOut, uint256 amountIn, uint256 amountOut)',
    topic: '0x2170c741c41531aec20e7c107c24eecfdd15e69c9bb0a8dd37b1840b9e0b207b',
    source: 'balancer/balancer-v2-monorepo IVault.sol',
    meaning: swap('balancer-v2'),
  },
  {
    declaration:
      'event LiquidationCall(address indexed _collateral, address indexed _reserve, address indexed _user, uint256 _purchaseAmount, uint256 _liquidatedCollateralAmount, uint256 _accruedBorrowInterest, address _liquidator, bool _receiveAToken, uint256 _timestamp)',
    topic: '0x56864757fd5b1fc9f38f5f3a981cd8ae512ce41b902cf73fc506ee369c6bc237',
    source: 'aave/aave-protocol LendingPoolLiquidationManager.sol',
    meaning: liquidation('aave-v1'),
  },
  {
    declaration:
      'event LiquidationCall(address indexed collateralAsset, address indexed debtAsset, address indexed user, uint256 debtToCover, uint256 liquidatedCollateralAmount, address liquidator, bool receiveAToken)',
    topic: '0xe413a321e8681d831f4dbccbca790d2952b56f977908e45be37335533e005286',
    source: 'aave/protocol-v2 ILendingPool.sol and aave/aave-v3-core IPool.sol',
    meaning: liquidation('aave'),
  },
  {
    declaration:
      'event LiquidateBorrow(address liquidator, address borrower, uint256 repayAmount, address cTokenCollateral, uint256 seizeTokens)',
    topic: '0x298637f684da70674f26509b10f07ec2fbc77a335ab1e7d6215a4b2484d8bb52',
    source: 'compound-finance/compound-protocol CTokenInterfaces.sol',
    meaning: liquidation('compound-v2'),
  },
  {
    declaration:
      'event AbsorbDebt(address indexed absorber, address indexed borrower, uint256 basePaidOut, uint256 usdValue)',
    topic: '0x1547a878dc89ad3c367b6338b4be6a65a5dd74fb77ae044da1e8747ef1f4f62f',
    source: 'compound-finance/comet CometMainInterface.sol',
    meaning: liquidation('compound-v3'),
  },
  {
    declaration:
      'event Liquidate(bytes32 indexed id, address indexed caller, address indexed borrower, uint256 repaidAssets, uint256 repaidShares, uint256 seizedAssets, uint256 badDebtAssets, uint256 badDebtShares)',
    topic: '0xa4946ede45d0c6f06a0f5ce92c9ad3b4751452d2fe0e25010783bcab57a67e41',
    source: 'morpho-org/morpho-blue EventsLib.sol',
    meaning: liquidation('morpho'),
  },
]
