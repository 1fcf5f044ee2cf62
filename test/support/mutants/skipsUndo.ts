import { createStages as original } from '../../../sidecar/stages.ts'
import { replaceModule } from './replaceModule.ts'

replaceModule('sidecar/stages.ts', import.meta.url)

/** Blocks are undone in the books, and the accounts stay as they were. */
export const createStages: typeof original = (parts, options) =>
  original({ ...parts, svm: Object.assign(Object.create(parts.svm), { undo: () => {} }) }, options)
