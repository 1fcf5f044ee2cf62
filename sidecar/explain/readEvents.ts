/** One event of a server-sent stream. */
export type ServerSentEvent = {
  /** `message` where the stream names none. */
  readonly type: string
  /** Its data lines, joined by line feeds. */
  readonly data: string
}

/** An event larger than the reader takes: the stream is not what it was thought to be. */
export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError'
  readonly code = 'EVENT_TOO_LARGE'

  constructor(limit: number) {
    super(`server-sent events: expected events of at most ${limit} characters, a larger one came`)
  }
}

/**
 * The events of a `text/event-stream` body, as the HTML standard reads them: lines end in CR, LF or both, comments and
 * unknown fields are passed over, an event without data is none, and one that is not ended by an empty line is dropped. Bytes may be
 * cut anywhere, inside a character too.
 * @param limit characters of one event, or of one line, at most; default 1 MiB
 * @throws EventTooLargeError, and whatever reading the body throws
 */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
  limit = 1024 * 1024,
): AsyncGenerator<ServerSentEvent> {
  // A leading byte order mark is taken off by the decoder.
  const decoder = new TextDecoder()
  let rest = ''
  let endsInCr = false
  let type = ''
  let data: string[] = []
  let size = 0
  for await (const bytes of body) {
    let text = decoder.decode(bytes, { stream: true })
    if (text === '') continue
    // The second half of a CRLF that was cut: its line has ended already.
    if (endsInCr && text.startsWith('\n')) text = text.slice(1)
    endsInCr = text === '' ? false : text.endsWith('\r')
    const lines = (rest + text).split(/\r\n|\n|\r/)
    rest = lines.pop()!
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { type: type || 'message', data: data.join('\n') }
        type = ''
        data = []
        size = 0
        continue
      }
      size += line.length
      if (size > limit) throw new EventTooLargeError(limit)
      const colon = line.indexOf(':')
      const name = colon < 0 ? line : line.slice(0, colon)
      const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
      if (name === 'data') data.push(value)
      else if (name === 'event') type = value
    }
    if (size + rest.length > limit) throw new EventTooLargeError(limit)
  }
}
