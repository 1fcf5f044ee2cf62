import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { VersionedTransaction } from '@solana/web3.js'
import { Account, FailedTransactionMetadata, LiteSvm } from 'litesvm/dist/internal.js'
import { encodeBase58 } from '../../../sidecar/svm/base58.ts'

type Landed = { readonly failed: boolean; readonly units: number; asked: number }

/**
 * The three JSON-RPC calls a sender needs, answered by a real LiteSVM. Not a validator: one VM, confirmed on the second
 * question, no blockhash check.
 */
export class LiteSvmRpcServer implements AsyncDisposable {
  readonly #svm = new LiteSvm()
  readonly #landed = new Map<string, Landed>()
  readonly #server: Server

  private constructor() {
    this.#svm.setBlockhashCheck(false)
    this.#server = createServer((request, response) => {
      void readBody(request).then((body) => {
        const { id, method, params } = JSON.parse(body) as { id: unknown; method: string; params: unknown[] }
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ jsonrpc: '2.0', id, ...this.#answer(method, params) }))
      })
    })
  }

  static async start(): Promise<LiteSvmRpcServer> {
    const started = new LiteSvmRpcServer()
    await new Promise<void>((resolve) => started.#server.listen(0, '127.0.0.1', resolve))
    return started
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  fund(pubkey: Uint8Array, lamports: bigint): void {
    this.#svm.setAccount(
      pubkey,
      new Account(lamports, new Uint8Array(0), new Uint8Array(32), false, 2n ** 64n - 1n),
    )
  }

  lamports(pubkey: Uint8Array): bigint | null {
    return this.#svm.getBalance(pubkey)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #answer(method: string, params: unknown[]): object {
    if (method === 'sendTransaction') return this.#send(params[0] as string)
    const signature = Array.isArray(params[0]) ? (params[0][0] as string) : (params[0] as string)
    const landed = this.#landed.get(signature)
    if (method === 'getSignatureStatuses') {
      const context = { slot: 1 }
      if (landed === undefined) return { result: { context, value: [null] } }
      const confirmationStatus = landed.asked++ === 0 ? 'processed' : 'confirmed'
      return { result: { context, value: [{ slot: 1, confirmations: 1, err: null, confirmationStatus }] } }
    }
    if (method === 'getTransaction' && landed !== undefined) {
      const err = landed.failed ? { InstructionError: [0, { Custom: 1 }] } : null
      return {
        result: {
          slot: 1,
          blockTime: 1,
          transaction: {
            signatures: [signature],
            message: {
              accountKeys: [],
              header: {
                numRequiredSignatures: 1,
                numReadonlySignedAccounts: 0,
                numReadonlyUnsignedAccounts: 1,
              },
              instructions: [],
              recentBlockhash: '1',
            },
          },
          meta: {
            err,
            fee: 5000,
            preBalances: [],
            postBalances: [],
            computeUnitsConsumed: landed.units,
          },
        },
      }
    }
    return { error: { code: -32601, message: `no method ${method}` } }
  }

  #send(base64: string): object {
    const bytes = new Uint8Array(Buffer.from(base64, 'base64'))
    const signature = encodeBase58(VersionedTransaction.deserialize(bytes).signatures[0]!)
    const result = this.#svm.sendLegacyTransaction(bytes)
    const failed = result instanceof FailedTransactionMetadata
    const meta = failed ? result.meta() : result
    if (failed && meta.signature().every((byte) => byte === 0)) {
      const message = `Transaction simulation failed: ${/ err: (\w+)/.exec(result.toString())?.[1]}`
      return { error: { code: -32002, message, data: { logs: [] } } }
    }
    this.#landed.set(signature, { failed, units: Number(meta.computeUnitsConsumed()), asked: 0 })
    return { result: signature }
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
