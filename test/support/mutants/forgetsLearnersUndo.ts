import { createStages as original } from '../../../sidecar/stages.ts'
import { replaceModule } from './replaceModule.ts'

replaceModule('sidecar/stages.ts', import.meta.url)

/** What the router learnt from undone blocks stays learnt. */
export const createStages: typeof original = (parts, options) => {
  const { router } = parts
  const undo = router.undo.bind(router)
  // It must stand where the chain does, else it would notice by itself.
  router.undo = (blocks, tip) =>
    undo(
      blocks.map((block) => ({ ...block, writes: [] })),
      tip,
    )
  return original(parts, options)
}
