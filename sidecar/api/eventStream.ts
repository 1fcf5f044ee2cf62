import { toRefJson } from '../status.ts'
import type { ChainEvent, SidecarView } from './view.ts'

/** Events a slow reader may leave unread before its stream is ended. */
const MAX_UNREAD = 10_000

/**
 * The chain's events from now on, one JSON document a line: `{"type":"applied","number":12,"hash":"0x…","timeMs":…}`, the time
 * in Unix milliseconds; blocks applied also have `nodeTimeMs` and `receivedTimeMs`, findings
 * what they are, see `ChainEvent`.
 * A reader too slow for the chain is cut off with a last line that says so, rather than buffered without bound.
 */
export function eventStream(view: SidecarView): Response {
  const encoder = new TextEncoder()
  let stop = () => {}
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        // An empty line at once, so that a client knows it is connected.
        controller.enqueue(encoder.encode('\n'))
        stop = view.listen((event) => {
          if ((controller.desiredSize ?? 0) <= -MAX_UNREAD) {
            stop()
            controller.enqueue(encoder.encode(`${JSON.stringify({ type: 'overrun', unread: MAX_UNREAD })}\n`))
            controller.close()
            return
          }
          controller.enqueue(encoder.encode(eventLine(event)))
        })
      },
      cancel: () => stop(),
    },
    { highWaterMark: 1 },
  )
  return new Response(body, {
    headers: { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' },
  })
}

function eventLine({ type, block, ...more }: ChainEvent): string {
  const timeMs = performance.timeOrigin + performance.now()
  return `${JSON.stringify({ type, ...toRefJson(block), timeMs, ...more })}\n`
}
