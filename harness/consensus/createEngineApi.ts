import { createHmac } from 'node:crypto'
import type { Hash } from 'viem'
import { createRpc } from '../devnet/createRpc.ts'
import { HarnessError } from '../errors.ts'

export type ForkchoiceState = {
  readonly headBlockHash: Hash
  readonly safeBlockHash: Hash
  readonly finalizedBlockHash: Hash
}

export type PayloadAttributes = {
  /** Unix seconds, above the parent's. */
  readonly timestamp: number
  /** Goes into the block and so tells siblings of the same parent and time apart. */
  readonly prevRandao: Hash
}

/** A block as the execution client built it, with what must be handed back beside it. */
export type Payload = {
  readonly executionPayload: {
    readonly blockHash: Hash
    readonly parentHash: Hash
    readonly blockNumber: string
    readonly timestamp: string
    readonly transactions: readonly string[]
  }
  readonly blobsBundle: { readonly commitments: readonly string[] }
  readonly executionRequests: readonly string[]
}

/** The Engine API of an execution client, as far as a consensus client needs it to build and choose blocks. */
export type EngineApi = {
  /** Makes a block the head; with attributes, begins to build one on it and returns the payload's id. */
  forkchoice(state: ForkchoiceState, attributes?: PayloadAttributes): Promise<string | undefined>
  payload(id: string): Promise<Payload>
  /** Hands a block over to be executed. */
  newPayload(payload: Payload): Promise<void>
}

const zeroHash: Hash = `0x${'0'.repeat(64)}`
const feeRecipient = `0x${'fe'.repeat(20)}`

/**
 * @param url of the authenticated port
 * @param secret 32 bytes that both sides know, hex
 */
export function createEngineApi(url: string, secret: string): EngineApi {
  const key = Buffer.from(secret.replace(/^0x/, ''), 'hex')
  const rpc = createRpc(url, { headers: () => ({ authorization: `Bearer ${tokenOf(key)}` }) })
  const accepted = (method: string, status: { status: string; validationError?: string | null }) => {
    if (status.status === 'VALID') return
    const came = `${status.status}${status.validationError ? `: ${status.validationError}` : ''}`
    throw new HarnessError('ENGINE_REFUSED', `expected ${url} to find ${method} VALID, it said ${came}`)
  }
  /** Later forks have later methods; which one a node wants is found out once. */
  let payloadMethod: string | undefined
  const getPayload = async (id: string): Promise<Payload> => {
    if (payloadMethod !== undefined) return rpc.call<Payload>(payloadMethod, [id])
    let refused: unknown
    for (const method of ['engine_getPayloadV5', 'engine_getPayloadV4']) {
      try {
        const payload = await rpc.call<Payload>(method, [id])
        payloadMethod = method
        return payload
      } catch (error) {
        refused = error
      }
    }
    throw refused
  }
  return {
    forkchoice: async (state, attributes) => {
      const method = 'engine_forkchoiceUpdatedV3'
      const asked = attributes && {
        timestamp: `0x${attributes.timestamp.toString(16)}`,
        prevRandao: attributes.prevRandao,
        suggestedFeeRecipient: feeRecipient,
        withdrawals: [],
        parentBeaconBlockRoot: zeroHash,
      }
      const answer = await rpc.call<{ payloadStatus: { status: string }; payloadId: string | null }>(method, [
        state,
        asked ?? null,
      ])
      accepted(method, answer.payloadStatus)
      return answer.payloadId ?? undefined
    },
    payload: getPayload,
    newPayload: async (payload) => {
      const method = 'engine_newPayloadV4'
      if (payload.blobsBundle.commitments.length > 0)
        throw new HarnessError('ENGINE_REFUSED', 'expected a block without blobs, this one has some')
      const params = [payload.executionPayload, [], zeroHash, payload.executionRequests]
      accepted(method, await rpc.call(method, params))
    },
  }
}

/** A JWT of now, HS256: good for a minute. */
function tokenOf(key: Buffer): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iat: Math.floor(Date.now() / 1000) })}`
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
}
