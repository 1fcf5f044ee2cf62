import { setTimeout as delay } from 'node:timers/promises'
import { Connection, SendTransactionError } from '@solana/web3.js'
import type { Logger } from 'pino'
import { encodeBase58 } from './base58.ts'
import { NotFinalizedError } from './errors.ts'
import { WEI_PER_LAMPORT } from './parsePayload.ts'
import type { SolanaTransaction, SvmExecutor, SvmResult } from './types.ts'

export type RpcExecutorOptions = {
  /** JSON-RPC endpoint of a Solana cluster, `http(s)://`. */
  readonly url: string
  /** Promise of the caller that every block handed over is finalized. Without it nothing is run. Default false. */
  readonly finalized?: boolean
  /** How long a sent transaction may take to be confirmed before it counts as failed, ms. Default 60 000. */
  readonly confirmTimeoutMs?: number
  /** Time between two questions for its status, ms. Default 400, a slot. */
  readonly pollMs?: number
}

export type RpcExecutorDeps = { readonly logger: Logger; readonly signal?: AbortSignal }

/**
 * The same interface over a real cluster, labelled `solana-rpc`. What it cannot do, it says: nothing is undone (so
 * only finalized blocks may come), deposits are refused (nobody can credit a cluster's accounts), `account` knows
 * nothing (a cluster answers later, the interface at once), and there is no lattice hash (32 zero bytes) nor account
 * count, for the accounts are not ours. The recent blockhash is the cluster's own to judge, duplicates as well, which
 * makes a block that is run again after a crash harmless.
 */
export function createRpcExecutor(
  { url, finalized = false, confirmTimeoutMs = 60_000, pollMs = 400 }: RpcExecutorOptions,
  { logger, signal }: RpcExecutorDeps,
): SvmExecutor {
  const name = 'solana-rpc'
  const connection = new Connection(url, { commitment: 'confirmed', disableRetryOnRateLimit: false })
  const closing = new AbortController()
  const lifetime = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal])

  const run = async (transaction: SolanaTransaction): Promise<Ran> => {
    const text = encodeBase58(transaction.signatures[0]!)
    try {
      await connection.sendRawTransaction(transaction.bytes, { preflightCommitment: 'confirmed' })
    } catch (error) {
      // The cluster's own answer is an outcome; no answer is a broken transport and goes up.
      if (!(error instanceof SendTransactionError)) throw error
      const known = await statusOf(text)
      if (known === undefined) return { landed: false, reason: reasonOf(error.transactionError.message) }
    }
    const until = Date.now() + confirmTimeoutMs
    while ((await statusOf(text)) === undefined) {
      if (Date.now() >= until) return { landed: false, reason: `not confirmed within ${confirmTimeoutMs} ms` }
      await delay(pollMs, undefined, { signal: lifetime })
    }
    const found = await connection.getTransaction(text, {
      commitment: 'confirmed',
      maxSupportedTransactionVersion: 0,
    })
    const err = found?.meta?.err ?? null
    return {
      landed: true,
      reason: err === null ? undefined : JSON.stringify(err),
      computeUnits: found?.meta?.computeUnitsConsumed ?? 0,
    }
  }
  const statusOf = async (text: string): Promise<string | undefined> => {
    const { value } = await connection.getSignatureStatuses([text], { searchTransactionHistory: true })
    const status = value[0]?.confirmationStatus
    return status === 'processed' ? undefined : status
  }

  return {
    name,
    reversible: false,
    async execute(block, envelopes, admitted) {
      if (!finalized) throw new NotFinalizedError({ executor: name, at: `block ${block.ref.number}` })
      const running = new Set(admitted)
      const results: SvmResult[] = []
      const signatures: Uint8Array[] = []
      let unspentWei = 0n
      for (const transactionIndex of [...envelopes.keys()].sort((a, b) => a - b)) {
        const envelope = envelopes.get(transactionIndex)!
        unspentWei += envelope.unspentWei
        const rejected = (item: number, reason: string): void => {
          results.push({
            transactionIndex,
            item,
            status: 'rejected',
            reason,
            signature: undefined,
            computeUnits: 0,
          })
        }
        if (envelope.kind === 'rejected') {
          rejected(0, envelope.reason)
        } else if (envelope.kind === 'deposit') {
          unspentWei += envelope.lamports * WEI_PER_LAMPORT
          if (running.has(transactionIndex)) rejected(0, 'denied program')
        } else {
          for (const [item, content] of envelope.items.entries()) {
            if ('rejected' in content) rejected(item, content.rejected)
            else if (running.has(transactionIndex)) {
              const signature = new Uint8Array(content.signatures[0]!)
              const ran = await run(content)
              if (ran.landed) signatures.push(signature)
              const status = ran.landed && ran.reason === undefined ? 'executed' : 'failed'
              const computeUnits = ran.landed ? ran.computeUnits : 0
              results.push({ transactionIndex, item, status, reason: ran.reason, signature, computeUnits })
            }
          }
        }
      }
      logger.debug({ block: block.ref, results: results.length }, 'block sent to the Solana cluster')
      return { results, writes: [], signatures, latticeHash: new Uint8Array(32), accounts: 0, unspentWei }
    },
    undo(undone) {
      if (undone.length === 0) return
      throw new NotFinalizedError({ executor: name, at: `undo of block ${undone[0]!.block.number}` })
    },
    account: () => undefined,
    close: () => closing.abort(),
  }
}

type Ran =
  | { readonly landed: true; readonly reason: string | undefined; readonly computeUnits: number }
  | { readonly landed: false; readonly reason: string }

/** The first line: what follows is the program's logs. */
const reasonOf = (message: string): string => message.split('\n', 1)[0]!.slice(0, 200)
