import type { Logger } from 'pino'
import type { BlockRef } from '../../notification/types.ts'
import type { Consumers } from './consumers.ts'
import type { ChainSource } from './types.ts'

/**
 * Tells the source the height it may forget up to: min(durable of all durable consumers, finalized), its hash looked up
 * on the canonical chain at that moment. reth drops commits at or below a stale height after a reorg, so a height above
 * finalized is never safe.
 */
export class FinishedHeight {
  readonly #source: ChainSource
  readonly #consumers: Consumers
  readonly #finalityDepth: bigint
  readonly #logger: Logger
  readonly #changed: (height: BlockRef) => void
  #told: BlockRef | undefined
  #running: Promise<void> | undefined
  #again = false
  #resend = false

  constructor(
    source: ChainSource,
    consumers: Consumers,
    options: { readonly finalityDepth: bigint },
    logger: Logger,
    changed: (height: BlockRef) => void,
  ) {
    this.#source = source
    this.#consumers = consumers
    this.#finalityDepth = options.finalityDepth
    this.#logger = logger
    this.#changed = changed
  }

  /** What the source was told last. */
  get value(): BlockRef | undefined {
    return this.#told
  }

  /** Looks again; tells the source when the height has changed, or in any case with `resend`. One look at a time. */
  update(options: { readonly resend: boolean } = { resend: false }): Promise<void> {
    this.#again = true
    if (options.resend) this.#resend = true
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false
      const resend = this.#resend
      this.#resend = false
      try {
        await this.#tell(resend)
      } catch (error) {
        // The node could not be asked. The next acknowledgement or block asks again.
        if (resend) this.#resend = true
        this.#logger.warn({ err: error }, 'finished height not told: the source did not answer')
      }
    }
  }

  async #tell(resend: boolean): Promise<void> {
    const number = this.#consumers.finishedNumber(this.#finalizedNumber())
    if (number === undefined) return
    if (!resend && number === this.#told?.number) return
    const height = await this.#source.canonicalRef(number)
    // Asked again after the look-up: what was durable then may have been undone meanwhile.
    const still = this.#consumers.finishedNumber(this.#finalizedNumber())
    if (height === undefined || still === undefined || still < number) return
    const isNew = height.hash !== this.#told?.hash
    this.#told = height
    this.#source.finishedHeight(height)
    if (isNew) this.#changed(height)
  }

  #finalizedNumber(): bigint | undefined {
    const { head, finalized } = this.#source.heads()
    if (finalized !== undefined) return finalized.number
    return head.number > this.#finalityDepth ? head.number - this.#finalityDepth : undefined
  }
}
