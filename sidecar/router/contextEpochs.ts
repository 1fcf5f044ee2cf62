import { setTimeout as delay } from 'node:timers/promises'
import type { StateWrite } from '../notification/stateWrite.ts'
import { blockKey, readBlockKey } from './blockKey.ts'
import type { ResolvedOptions } from './checkOptions.ts'
import { ContextIndex } from './contextIndex.ts'
import { createSnapshot, emptySnapshot, startOf } from './contextSnapshot.ts'
import type { Decay } from './decay.ts'
import { RouterError } from './routerError.ts'
import type { RouterDependencies } from './types.ts'

/**
 * Which rows a block is decided with. Block N uses those of boundary(N) = floor((N - lag) / epoch) * epoch, asked of the
 * store once, by the first block of the chain that needs them, and kept with that block's effects: recovery and reorgs
 * find them here. That block comes after its boundary, so an undone boundary takes its snapshot with it.
 *
 * The first block ever applied leaves an empty snapshot that names it as the start; so the table is empty exactly when
 * nothing was applied, and nobody asks for rows as of a block that was never applied.
 */
export class ContextEpochs {
  private readonly options: ResolvedOptions
  private readonly dependencies: RouterDependencies
  private readonly decay: Decay
  private readonly snapshots = new Map<number, Uint8Array>()
  /** Loaded, and not yet part of a settled block. */
  private pending: { readonly boundary: number; readonly stored: Uint8Array } | undefined
  private active: { readonly stored: Uint8Array; readonly index: ContextIndex } | undefined

  constructor(options: ResolvedOptions, dependencies: RouterDependencies, decay: Decay) {
    this.options = options
    this.dependencies = dependencies
    this.decay = decay
  }

  /** 0 where the chain is too young for a boundary. */
  boundaryOf(block: number): number {
    const { lag, epoch } = this.options.context
    return Math.max(0, Math.floor((block - lag) / epoch) * epoch)
  }

  /** Loads the context of `block`; undefined when it is there, or needs nobody. Rejects when the signal aborts. */
  prepare(block: number): Promise<void> | undefined {
    const boundary = this.boundaryOf(block)
    if (this.find(boundary) !== undefined) return undefined
    const start = this.start() ?? block
    if (boundary < start) {
      this.pending = { boundary, stored: emptySnapshot('before start', boundary, start) }
      return undefined
    }
    return this.load(boundary, start)
  }

  /** The index `block` is decided with; throws `context not prepared`. */
  activate(block: number): ContextIndex {
    const boundary = this.boundaryOf(block)
    const stored = this.find(boundary)
    if (stored === undefined) {
      throw new RouterError('context not prepared', {
        expected: `the context as of block ${boundary}`,
        received: 'none',
        where: `block ${block}`,
        action: 'Call prepare for the block, and wait for it, before deciding.',
      })
    }
    if (this.active?.stored !== stored) this.active = { stored, index: new ContextIndex(stored) }
    return this.active.index
  }

  /** Makes the context loaded for `block` part of it; snapshots no undo can need go. Appends to `writes`. */
  settle(block: number, writes: StateWrite[]): void {
    const { pending } = this
    if (pending === undefined) return
    this.pending = undefined
    this.snapshots.set(pending.boundary, pending.stored)
    writes.push({
      table: 'context',
      key: blockKey(pending.boundary),
      before: undefined,
      after: pending.stored,
    })
    const oldest = this.boundaryOf(block - this.options.keptUndo) - 2 * this.options.context.epoch
    for (const [boundary, stored] of [...this.snapshots].sort(([a], [b]) => a - b)) {
      if (boundary >= oldest) break
      this.snapshots.delete(boundary)
      writes.push({ table: 'context', key: blockKey(boundary), before: stored, after: undefined })
    }
  }

  /** Puts a stored row, or takes it away. */
  put(key: Uint8Array, stored: Uint8Array | undefined): void {
    const boundary = readBlockKey(key)
    if (stored === undefined) this.snapshots.delete(boundary)
    else this.snapshots.set(boundary, stored)
  }

  /** What was loaded for a block that never settled is loaded again: its boundary may be gone. */
  forgetPending(): void {
    this.pending = undefined
  }

  private find(boundary: number): Uint8Array | undefined {
    return this.pending?.boundary === boundary ? this.pending.stored : this.snapshots.get(boundary)
  }

  /** The first block applied, from any snapshot; undefined before there is one. */
  private start(): number | undefined {
    for (const stored of this.snapshots.values()) return startOf(stored)
    return undefined
  }

  private async load(boundary: number, start: number): Promise<void> {
    const { context, logger, signal } = this.dependencies
    const { onUnavailable, retryMs, patterns: limit } = this.options.context
    for (;;) {
      signal.throwIfAborted()
      try {
        const rows = await unlessAborted(context.patternsAt(BigInt(boundary)), signal)
        const stored = createSnapshot(rows, { boundary, start, limit, decay: this.decay })
        this.pending = { boundary, stored }
        return
      } catch (error) {
        // Rows that are wrong stay wrong; a store that is down may come back.
        if (error instanceof RouterError) throw error
        signal.throwIfAborted()
        if (onUnavailable === 'none') {
          logger.warn({ err: error, boundary }, 'context unavailable, deciding the epoch without it')
          this.pending = { boundary, stored: emptySnapshot('unavailable', boundary, start) }
          return
        }
        logger.warn({ err: error, boundary, retryMs }, 'context unavailable, waiting for it')
        await delay(retryMs, undefined, { signal })
      }
    }
  }
}

/** The promise, or a rejection as soon as the signal aborts: a store may be waited for without end. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
