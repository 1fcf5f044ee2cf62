import { tap } from 'rxjs'
import { findNode as original } from '../../../sidecar/nodeLink.ts'
import { replaceModule } from './replaceModule.ts'

export * from '../../../sidecar/nodeLink.ts'

replaceModule('sidecar/nodeLink.ts', import.meta.url)

/** Credit is given back on receipt, not when the work is done. */
export const findNode: typeof original = async (...args) => {
  const link = await original(...args)
  return {
    ...link,
    connect: (standing) => {
      const client = link.connect(standing)
      return {
        ...client,
        grant: () => {},
        events$: client.events$.pipe(
          tap((event) => {
            if (event.type === 'notification') client.grant(event.notification)
          }),
        ),
      }
    },
  }
}
