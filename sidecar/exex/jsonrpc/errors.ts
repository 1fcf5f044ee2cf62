import type { BlockRef } from '../../notification/types.ts'
import { ExExError } from '../errors.ts'

/** No answer: nobody listens, the connection broke, or the time limit passed. */
export class NodeUnreachableError extends ExExError {
  override readonly name = 'NodeUnreachableError'

  constructor(facts: { readonly node: string; readonly why: string; readonly cause?: unknown }) {
    super('UNAVAILABLE', {
      where: `node ${facts.node}`,
      expected: 'an answer',
      actual: facts.why,
      cause: facts.cause,
    })
  }
}

/** The node answered a call with a JSON-RPC error. */
export class NodeRefusedError extends ExExError {
  override readonly name = 'NodeRefusedError'
  readonly method: string
  readonly rpcCode: number | undefined

  constructor(facts: {
    readonly node: string
    readonly method: string
    readonly rpcCode: number | undefined
    readonly reason: string
  }) {
    super('UNAVAILABLE', {
      where: `${facts.method} of node ${facts.node}`,
      expected: 'a result',
      actual: `error ${facts.rpcCode ?? 'without a code'}: ${facts.reason}`,
    })
    this.method = facts.method
    this.rpcCode = facts.rpcCode
  }

  /** Whether the node does not have the method at all. */
  get isMethodMissing(): boolean {
    // -32601 is JSON-RPC's own, -32004 "method not supported" EIP-1474's; proxies use other codes, and words.
    if (this.rpcCode === -32601 || this.rpcCode === -32004) return true
    return /method.*(not found|not supported|not available|does not exist|not whitelisted)|unsupported method/i.test(
      this.actual,
    )
  }
}

/** The node's answer is not what Ethereum's JSON-RPC promises. */
export class MalformedAnswerError extends ExExError {
  override readonly name = 'MalformedAnswerError'
  /** Path of the field in the answer: `transactions[3].value`. */
  readonly field: string

  constructor(facts: {
    readonly field: string
    /** The block or call it came with. */
    readonly where: string
    readonly expected: string
    readonly actual: unknown
  }) {
    super('MALFORMED', {
      where: `${facts.field} of ${facts.where}`,
      expected: facts.expected,
      actual: shown(facts.actual),
    })
    this.field = facts.field
  }
}

/** The node serves another chain than the one this source started with. */
export class ChainMismatchError extends ExExError {
  override readonly name = 'ChainMismatchError'

  constructor(facts: {
    readonly node: string
    readonly what: 'chain id' | 'genesis hash'
    readonly expected: string
    readonly actual: string
  }) {
    super(facts.what === 'chain id' ? 'CHAIN_MISMATCH' : 'GENESIS_MISMATCH', {
      where: `${facts.what} of node ${facts.node}`,
      expected: facts.expected,
      actual: facts.actual,
      advice: 'Let the node serve the same chain again, or restart to follow the new one.',
    })
  }
}

/** The chain changed between two calls that belong together, or the node does not have the block yet: read again. */
export class ChainMovedError extends ExExError {
  override readonly name = 'ChainMovedError'

  constructor(facts: { readonly where: string; readonly expected: string; readonly actual: string }) {
    super('CHAIN_MOVED', facts)
  }
}

/** A block that does not follow the one read before it. */
export function brokenLink(block: BlockRef, parentHash: string, expected: BlockRef): ChainMovedError {
  return new ChainMovedError({
    where: `parent of block ${block.number} ${block.hash}`,
    expected: expected.hash,
    actual: parentHash,
  })
}

/** The node's chain leaves ours below every block kept for undo. Nothing is emitted, so nothing wrong is served as current. */
export class ReorgTooDeepError extends ExExError {
  override readonly name = 'ReorgTooDeepError'
  readonly maxReorgDepth: number

  constructor(facts: {
    readonly node: string
    readonly tip: BlockRef
    readonly head: BlockRef
    readonly oldest: BlockRef
    readonly maxReorgDepth: number
  }) {
    const { tip, head, oldest } = facts
    super('RESYNC', {
      where: `chain of node ${facts.node} with head ${head.number} ${head.hash}`,
      expected: `a reorg of at most ${facts.maxReorgDepth} blocks below our tip ${tip.number} ${tip.hash}`,
      actual: `a chain without our block ${oldest.number} ${oldest.hash}`,
      advice:
        'Check that the node is on the right chain; then restart to follow it. A sidecar whose undo does not reach as deep ' +
        'starts with another --data-dir (or without this one) to rebuild from the chain.',
    })
    this.maxReorgDepth = facts.maxReorgDepth
  }
}

/** The source was closed while the call was under way. */
export class SourceClosedError extends ExExError {
  override readonly name = 'SourceClosedError'

  constructor() {
    super('GOING_AWAY', { where: 'JSON-RPC source', expected: 'an open source', actual: 'a closed one' })
  }
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value))
  return text.length > 90 ? `${text.slice(0, 80)}… (${text.length} characters)` : text
}
