import { concatMap, from } from 'rxjs'
import { pipeline as original, type PipelineEvent } from '../../../sidecar/pipeline.ts'
import { replaceModule } from './replaceModule.ts'

export * from '../../../sidecar/pipeline.ts'

replaceModule('sidecar/pipeline.ts', import.meta.url)

/** A block is called durable as soon as it is applied. */
export const pipeline: typeof original = (...args) => {
  const real = original(...args)
  return (source) =>
    real(source).pipe(
      concatMap((event) =>
        from<PipelineEvent[]>(
          event.type === 'applied'
            ? [event, { type: 'durable', block: event.effects.block, blocks: 1 }]
            : [event],
        ),
      ),
    )
}
