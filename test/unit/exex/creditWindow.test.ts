import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CreditWindow } from '../../../sidecar/exex/client/creditWindow.ts'

test('never lets more than the window go unprocessed, and never starves, over any sessions', () => {
  const step = fc.oneof(
    fc.record({ does: fc.constant('receive' as const), bytes: fc.integer({ min: 0, max: 50 }) }),
    fc.record({ does: fc.constant('process' as const) }),
    fc.record({ does: fc.constant('reconnect' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const window = { bytes: 100, notifications: 5 }
      const credit = new CreditWindow(window)
      let server = { ...credit.open() }
      const queue: number[] = []
      for (const one of steps) {
        if (one.does === 'reconnect') server = { ...credit.open() }
        else if (one.does === 'receive' && server.bytes > 0 && server.notifications > 0) {
          server = { bytes: server.bytes - one.bytes, notifications: server.notifications - 1 }
          credit.delivered(one.bytes)
          queue.push(one.bytes)
        } else if (one.does === 'process' && queue.length > 0) {
          const grant = credit.granted(queue.shift()!)
          server.bytes += grant?.bytes ?? 0
          server.notifications += grant?.notifications ?? 0
        }
        expect(credit.outstandingBytes).toBe(queue.reduce((sum, bytes) => sum + bytes, 0))
        expect(queue.length).toBeLessThanOrEqual(window.notifications)
        expect(credit.outstandingBytes).toBeLessThanOrEqual(window.bytes + 50)
        if (queue.length === 0) expect(server, 'all processed: all may be sent').toEqual(window)
      }
    }),
  )
})

test('a new session owes what the last one sent beyond the window', () => {
  const credit = new CreditWindow({ bytes: 100, notifications: 5 })
  credit.open()
  for (const bytes of [30, 44, 27]) credit.delivered(bytes)
  let server = credit.open().bytes
  expect(server).toBe(0)
  for (const bytes of [30, 44, 27]) server += credit.granted(bytes)?.bytes ?? 0
  expect(server).toBe(100)
})
