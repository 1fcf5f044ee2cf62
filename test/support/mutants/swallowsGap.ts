import { moveChain as original } from '../../../sidecar/notification/chain.ts'
import { GapError } from '../../../sidecar/notification/errors.ts'
import { AcceptingAssembler } from './acceptingAssembler.ts'
import { replaceModule } from './replaceModule.ts'

export * from '../../../sidecar/notification/chain.ts'

replaceModule('sidecar/notification/chain.ts', import.meta.url)
replaceModule('sidecar/exex/client/notificationAssembler.ts', import.meta.url)

/** A parent that nobody knows is taken for one that is. */
export class NotificationAssembler extends AcceptingAssembler {
  constructor(session: ConstructorParameters<typeof AcceptingAssembler>[0]) {
    super(session)
    const { chain } = this
    const find = chain.find.bind(chain)
    chain.find = (ref) => (find(ref) === 'unknown' ? 'carried' : find(ref))
  }
}

/** What does not connect is applied all the same. */
export const moveChain: typeof original = (chain, input) => {
  try {
    return original(chain, input)
  } catch (error) {
    if (!(error instanceof GapError) || !('blocks' in input)) throw error
    const refs = [...chain.refs, ...input.blocks.map(({ ref }) => ref)]
    return { chain: { ...chain, refs }, undo: [], apply: input.blocks }
  }
}
