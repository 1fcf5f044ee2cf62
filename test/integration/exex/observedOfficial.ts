import type { Subscription } from 'rxjs'
import type { ExExEvent } from '../../../sidecar/exex/client/events.ts'
import { connectOfficial, type OfficialOptions } from '../../../sidecar/exex/client/official.ts'
import type { ExExError } from '../../../sidecar/exex/errors.ts'
import type { Notification } from '../../../sidecar/notification/types.ts'
import { quiet } from './observedConsumer.ts'

/** A consumer of the official service that keeps all it was told, and grants it at once. */
export function observeOfficial(options: OfficialOptions) {
  const events: ExExEvent[] = []
  const notifications: Notification[] = []
  let error: ExExError | undefined
  const client = connectOfficial({ backoffMs: 5, ...options }, { logger: quiet })
  const subscription: Subscription = client.events$.subscribe({
    next(event) {
      events.push(event)
      if (event.type === 'notification') {
        notifications.push(event.notification)
        client.grant(event.notification)
      }
    },
    error(reason: ExExError) {
      error = reason
    },
  })
  return { events, notifications, error: () => error, stop: () => subscription.unsubscribe() }
}
