import { type Anvil, type AnvilOptions, startAnvil } from '../anvil.ts'
import { gasPerTransaction } from './createTransactionSource.ts'
import {
  checkTrafficOptions,
  type MinedBlock,
  runTraffic,
  type TrafficHooks,
  type TrafficOptions,
  type TrafficResult,
} from './runTraffic.ts'

export type DevnetOptions = TrafficOptions &
  Pick<AnvilOptions, 'chainId' | 'genesisTimestamp' | 'port' | 'slotsInAnEpoch'> & {
    /** Aborting it ends the traffic; the node runs on until `stop`. */
    readonly signal?: AbortSignal
    readonly onBlock?: (block: MinedBlock) => void
  }

export type Devnet = AsyncDisposable & {
  readonly rpcUrl: string
  readonly wsUrl: string
  readonly chainId: number
  /** The node's `finalized` is this many blocks behind its head. */
  readonly finalityDepth: number
  readonly node: Anvil
  /**
   * Begins the traffic, once: after whoever wants to see it all is attached, and with `beforeReorg` at that one's pace.
   * Calling again gives the same promise.
   */
  traffic(hooks?: Pick<TrafficHooks, 'beforeReorg'>): Promise<TrafficResult>
  /** Ends the traffic at the next block boundary, then the node. */
  stop(): Promise<void>
}

/**
 * Starts anvil and makes its traffic ready. The finalized block trails the head by more than a reorg is deep, so that
 * no reorg reaches below it.
 *
 * @throws HarnessError as `startAnvil` and `runTraffic` do; nothing is left running then.
 */
export async function startDevnet(options: DevnetOptions = {}): Promise<Devnet> {
  const { txPerBlock, reorgEvery, reorgDepth } = checkTrafficOptions(options)
  const { chainId, genesisTimestamp, port } = options
  const slotsInAnEpoch = options.slotsInAnEpoch ?? Math.ceil(((reorgEvery > 0 ? reorgDepth : 2) + 2) / 2)
  const blockGas = BigInt(txPerBlock) * gasPerTransaction
  const node = await startAnvil({
    ...(chainId === undefined ? {} : { chainId }),
    ...(genesisTimestamp === undefined ? {} : { genesisTimestamp }),
    ...(port === undefined ? {} : { port }),
    slotsInAnEpoch,
    gasLimit: blockGas > 30_000_000n ? blockGas : 30_000_000n,
  })
  const stopping = new AbortController()
  const signal =
    options.signal === undefined ? stopping.signal : AbortSignal.any([options.signal, stopping.signal])
  let running: Promise<TrafficResult> | undefined
  const stop = async () => {
    stopping.abort()
    // Whoever called `traffic` gets its failure; here only its end matters.
    await Promise.allSettled([running])
    await node.stop()
  }
  return {
    rpcUrl: node.rpcUrl,
    wsUrl: node.wsUrl,
    chainId: node.chainId,
    finalityDepth: 2 * slotsInAnEpoch,
    node,
    traffic: (hooks) => {
      running ??= runTraffic(node, options, {
        ...hooks,
        signal,
        ...(options.onBlock ? { onBlock: options.onBlock } : {}),
      })
      return running
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
