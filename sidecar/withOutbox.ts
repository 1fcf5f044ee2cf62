import type { OutboxPump } from './outbox/outboxPump.ts'
import { encodePayload } from './outbox/payload.ts'
import type { Committing } from './watermark/commitGroups.ts'
import type { Store } from './watermark/store.ts'

/**
 * The store as the pipeline commits to it. A finalized block is news for the vector store too: its rows carry their
 * finality. Each commit wakes the pump.
 */
export function withOutbox(
  store: Pick<Store, 'stage' | 'commit'>,
  pump: Pick<OutboxPump, 'wake'>,
): Committing {
  return {
    commit() {
      const durable = store.commit()
      // Also where no block is left durable: the rows of undone blocks have to go.
      pump.wake()
      return durable
    },
    stage(effects) {
      const { finalized } = effects
      if (!finalized) return store.stage(effects)
      const payload = encodePayload({ kind: 'finalized', number: finalized.number })
      const entry = { block: finalized, kind: 'finalized', payload, rows: 1 } as const
      store.stage({ ...effects, undoOutbox: [...effects.undoOutbox, entry] })
    },
  }
}
