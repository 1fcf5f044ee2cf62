import { createStages as original } from '../../../sidecar/stages.ts'
import { replaceModule } from './replaceModule.ts'

replaceModule('sidecar/stages.ts', import.meta.url)

/** Blocks are undone in the books, and the accounts stay as they were. */
export const createStages: typeof original = (parts, options) => {
  const { svm } = parts
  const undo = svm.undo.bind(svm)
  svm.undo = (blocks, tip) =>
    undo(
      blocks.map((block) => ({ ...block, writes: [] })),
      tip,
    )
  return original(parts, options)
}
