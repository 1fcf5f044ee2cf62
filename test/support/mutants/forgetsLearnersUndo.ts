import { createStages as original } from '../../../sidecar/stages.ts'
import { replaceModule } from './replaceModule.ts'

replaceModule('sidecar/stages.ts', import.meta.url)

/** What the router learnt from undone blocks stays learnt. */
export const createStages: typeof original = (parts, options) => {
  const { router } = parts
  return original(
    {
      ...parts,
      router: Object.assign(Object.create(router), {
        undo: (blocks: Parameters<typeof router.undo>[0], tip: Parameters<typeof router.undo>[1]) =>
          // It must stand where the chain does, else it would notice by itself.
          router.undo(
            blocks.map((block) => ({ ...block, writes: [] })),
            tip,
          ),
      }),
    },
    options,
  )
}
