import { moveChain as original } from '../../../sidecar/notification/chain.ts'
import { AcceptingAssembler } from './acceptingAssembler.ts'
import { replaceModule } from './replaceModule.ts'

export * from '../../../sidecar/notification/chain.ts'
export { AcceptingAssembler as NotificationAssembler }

replaceModule('sidecar/notification/chain.ts', import.meta.url)
replaceModule('sidecar/exex/client/notificationAssembler.ts', import.meta.url)

/** A notification that comes again is applied again. */
export const moveChain: typeof original = (chain, input) => {
  const move = original(chain, input)
  const isRepeat = input.kind === 'committed' && move.apply.length === 0 && move.undo.length === 0
  return isRepeat ? { ...move, apply: input.blocks } : move
}
