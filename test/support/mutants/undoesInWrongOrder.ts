import { createStages as original } from '../../../sidecar/stages.ts'
import { replaceModule } from './replaceModule.ts'

replaceModule('sidecar/stages.ts', import.meta.url)

/** Pre-images are put back oldest block first: where two blocks wrote an account, the newer one's stays. */
export const createStages: typeof original = (parts, options) => {
  const { svm } = parts
  const undo = svm.undo.bind(svm)
  svm.undo = (blocks, tip) => undo([...blocks].reverse(), tip)
  return original(parts, options)
}
