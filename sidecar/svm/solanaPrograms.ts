import { decodeBase58 } from './base58.ts'
import { keyOf } from './keyOf.ts'

/** All zeros: the System program, owner of plain accounts. */
export const systemProgram = new Uint8Array(32)
export const computeBudgetProgram = decodeBase58('ComputeBudget111111111111111111111111111111')
export const nativeLoader = decodeBase58('NativeLoader1111111111111111111111111111111')

/** Programs that write program accounts: nothing they own may change while LiteSVM's program cache knows it. */
export const programLoaders = [
  'BPFLoader1111111111111111111111111111111111',
  'BPFLoader2111111111111111111111111111111111',
  'BPFLoaderUpgradeab1e11111111111111111111111',
  'LoaderV411111111111111111111111111111111111',
].map((id) => decodeBase58(id))

const loaderKeys: ReadonlySet<string> = new Set([...programLoaders, nativeLoader].map(keyOf))
const loaderFirstBytes: ReadonlySet<number> = new Set([...programLoaders, nativeLoader].map((key) => key[0]!))

/**
 * Are the 32 bytes at `offset` a program loader, or the loader of the built-in programs? Asked of every key and every
 * account, so the first byte decides most.
 */
export const isLoader = (bytes: Uint8Array, offset = 0): boolean =>
  loaderFirstBytes.has(bytes[offset]!) && loaderKeys.has(keyOf(bytes.subarray(offset, offset + 32)))

/** Owners of accounts the SVM sets up by itself, apart from loaders: sysvars, feature gates, configuration. */
export const sysvarOwner = decodeBase58('Sysvar1111111111111111111111111111111111111')
export const featureOwner = decodeBase58('Feature111111111111111111111111111111111111')
export const configOwner = decodeBase58('Config1111111111111111111111111111111111111')

/**
 * Keys with a meaning to the runtime that have no account behind them: the instructions sysvar (made up for every
 * transaction) and precompiles or built-ins that the active features may leave out.
 */
export const reservedWithoutAccount = [
  'Sysvar1nstructions1111111111111111111111111',
  'SysvarRewards111111111111111111111111111111',
  'Sysvar1111111111111111111111111111111111111',
  'NativeLoader1111111111111111111111111111111',
  'LoaderV411111111111111111111111111111111111',
  'Feature111111111111111111111111111111111111',
  'Config1111111111111111111111111111111111111',
  'ZkTokenProof1111111111111111111111111111111',
].map((id) => decodeBase58(id))
