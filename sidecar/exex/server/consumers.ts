import type { BlockRef } from '../../notification/types.ts'
import type { ConsumerInfo, Mode } from '../frames.ts'

/** What the server needs of a consumer's session: to end it when a newer one takes over, to tell it of an eviction. */
export type ConsumerSession = {
  fence(): void
  evicted(message: string): void
}

export type Consumer = {
  readonly id: string
  mode: Mode
  session: ConsumerSession | undefined
  processed: BlockRef | undefined
  durable: BlockRef | undefined
  evicted: boolean
  /** Height of the head when the consumer last made progress: what its budget is counted from. */
  headAtProgress: bigint
  /** seq of its next notification; goes on over its sessions. */
  nextSeq: bigint
}

/**
 * The consumers seen since the server started: what each has processed and made durable, and who holds
 * FinishedHeight back. Nothing is kept over a restart: a consumer registers anew with its Hello.
 */
export class Consumers {
  readonly #byId = new Map<string, Consumer>()
  readonly #evictAfterBlocks: bigint

  constructor(evictAfterBlocks: bigint) {
    this.#evictAfterBlocks = evictAfterBlocks
  }

  get(id: string): Consumer | undefined {
    return this.#byId.get(id)
  }

  /** The consumer of this id, from now on served by `session`; a session it had before is fenced. */
  attach(id: string, mode: Mode, session: ConsumerSession, head: BlockRef): Consumer {
    const known = this.#byId.get(id)
    known?.session?.fence()
    const consumer = known ?? {
      id,
      mode,
      session,
      processed: undefined,
      durable: undefined,
      evicted: false,
      headAtProgress: head.number,
      nextSeq: 1n,
    }
    consumer.mode = mode
    consumer.session = session
    consumer.evicted = false
    consumer.headAtProgress = head.number
    this.#byId.set(id, consumer)
    return consumer
  }

  detach(consumer: Consumer, session: ConsumerSession): void {
    if (consumer.session === session) consumer.session = undefined
    // An observer promises nothing and is promised nothing: without a session there is nothing to remember.
    if (consumer.session === undefined && consumer.mode === 'observer') this.#byId.delete(consumer.id)
  }

  /** Takes an acknowledgement already checked against the chain. */
  progress(
    consumer: Consumer,
    processed: BlockRef | undefined,
    durable: BlockRef | undefined,
    head: BlockRef,
  ): void {
    if (processed !== undefined) consumer.processed = processed
    if (durable === undefined) return
    if (durable.hash !== consumer.durable?.hash) {
      consumer.headAtProgress = head.number
      consumer.evicted = false
    }
    consumer.durable = durable
  }

  /** The source undid everything above `ancestor`: no height may name a block of it. */
  undoTo(ancestor: BlockRef): void {
    for (const consumer of this.#byId.values()) {
      if (consumer.processed !== undefined && consumer.processed.number > ancestor.number)
        consumer.processed = ancestor
      if (consumer.durable !== undefined && consumer.durable.number > ancestor.number)
        consumer.durable = ancestor
    }
  }

  /** Marks the durable consumers whose budget is used up and returns them: they no longer hold FinishedHeight. */
  evictStuck(head: BlockRef): readonly Consumer[] {
    const stuck = [...this.#byId.values()].filter(
      (consumer) =>
        consumer.mode === 'durable' &&
        !consumer.evicted &&
        head.number - consumer.headAtProgress > this.#evictAfterBlocks &&
        (consumer.durable === undefined || consumer.durable.number < head.number),
    )
    for (const consumer of stuck) {
      consumer.evicted = true
      consumer.session?.evicted(
        `no durable progress for more than ${this.#evictAfterBlocks} blocks: FinishedHeight no longer waits for you`,
      )
    }
    return stuck
  }

  drop(id: string): boolean {
    const consumer = this.#byId.get(id)
    if (consumer === undefined) return false
    consumer.session?.fence()
    return this.#byId.delete(id)
  }

  /**
   * The height the node may forget up to: the least durable height of the durable consumers, and never above
   * `finalized`. Undefined while there is none, or one that has not said yet what it holds.
   */
  finishedNumber(finalized: bigint | undefined): bigint | undefined {
    if (finalized === undefined) return undefined
    const durable = [...this.#byId.values()].filter((consumer) => consumer.mode === 'durable')
    // Nobody has come: somebody may. All evicted: nobody is waited for.
    if (durable.length === 0) return undefined
    let least = finalized
    for (const consumer of durable) {
      if (consumer.evicted) continue
      if (consumer.durable === undefined) return undefined
      if (consumer.durable.number < least) least = consumer.durable.number
    }
    return least
  }

  list(head: BlockRef): readonly ConsumerInfo[] {
    return [...this.#byId.values()].map((consumer) => ({
      id: consumer.id,
      mode: consumer.mode,
      connected: consumer.session !== undefined,
      processed: consumer.processed,
      durable: consumer.durable,
      lagBlocks: lagOf(consumer, head),
      evicted: consumer.evicted,
    }))
  }
}

/** Blocks between the head and what a consumer has processed. */
export function lagOf(consumer: Consumer, head: BlockRef): bigint {
  const processed = consumer.processed?.number ?? consumer.durable?.number ?? 0n
  return head.number > processed ? head.number - processed : 0n
}
