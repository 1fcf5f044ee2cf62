import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EventTooLargeError, readEvents, type ServerSentEvent } from '../../../sidecar/explain/readEvents.ts'

async function* chunksOf(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    yield bytes.subarray(from, cut)
    from = cut
  }
  yield bytes.subarray(from)
}

async function read(text: string, cuts: readonly number[] = [], limit?: number): Promise<ServerSentEvent[]> {
  return Array.fromAsync(readEvents(chunksOf(Buffer.from(text), cuts), limit))
}

/** A line without what would end it. */
const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, ''))
const stream = fc.record({
  events: fc.array(
    fc.record({
      type: fc.option(line, { nil: undefined }),
      data: fc.array(line, { minLength: 1, maxLength: 3 }),
    }),
    {
      maxLength: 6,
    },
  ),
  lineEnd: fc.constantFrom('\n', '\r', '\r\n'),
  space: fc.boolean(),
  noise: fc.constantFrom('', ': a comment', 'id: 7', 'retry: 10', 'unknown', 'event'),
  cuts: fc.array(fc.nat(400), { maxLength: 30 }),
})

describe('server-sent events', () => {
  test('any events, with any line ends and cut anywhere, are read as they were written', async () => {
    await fc.assert(
      fc.asyncProperty(stream, async ({ events, lineEnd, space, noise, cuts }) => {
        const colon = space ? ': ' : ':'
        const text = events
          .map(({ type, data }) =>
            [
              noise,
              ...(type === undefined ? [] : [`event${colon}${type}`]),
              // Without a space of its own, one at the start of a value belongs to the field.
              ...data.map((value) => `data${colon}${!space && value.startsWith(' ') ? ' ' : ''}${value}`),
              '',
              '',
            ]
              .slice(noise === '' ? 1 : 0)
              .join(lineEnd),
          )
          .join('')
        const bytes = Buffer.from(text)
        const expected = events.map(({ type, data }) => {
          const value = !space && type?.startsWith(' ') ? type.slice(1) : type
          return { type: value || 'message', data: data.join('\n') }
        })
        expect(
          await read(
            text,
            cuts.map((cut) => cut % (bytes.length + 1)),
          ),
        ).toEqual(expected)
      }),
      { seed: 20_261_122, numRuns: 500 },
    )
  })

  test('cut at every byte, one at a time, a character of four bytes stays whole', async () => {
    const text = 'data: é 😀 送\r\n\r\n'
    const bytes = Buffer.from(text)
    expect(
      await read(
        text,
        Array.from(bytes, (_, i) => i),
      ),
    ).toEqual([{ type: 'message', data: 'é 😀 送' }])
  })

  test.each([
    ['an event that no empty line ends is dropped', 'data: a\n\ndata: b\n', ['a']],
    ['an event without data is none', 'event: x\n\ndata: a\n\n', ['a']],
    ['empty data is data', 'data\n\ndata:\n\n', ['', '']],
    ['a byte order mark is not part of the first field', '\ufeffdata: a\n\n', ['a']],
    ['comments between events are passed over', ': ping\n\n: ping\n\ndata: a\n\n', ['a']],
    ['a value keeps its second space, and its colons', 'data:  a: b\n\n', [' a: b']],
  ])('%s', async (_, text, data) => {
    expect((await read(text)).map((event) => event.data)).toEqual(data)
  })

  test('an event is given as soon as it has ended, also by a CR alone', async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const events = readEvents(readable)
    void writable.getWriter().write(Buffer.from('data: a\r\r'))
    expect(await events.next()).toEqual({ done: false, value: { type: 'message', data: 'a' } })
    await events.return(undefined)
  })

  test.each([
    ['one line without end', `data: ${'x'.repeat(200)}`],
    ['many lines without an empty one', 'data: xxxxxxxx\n'.repeat(20)],
  ])('%s is refused at the limit', async (_, text) => {
    await expect(read(text, [50, 90, 150], 100)).rejects.toThrow(EventTooLargeError)
  })
})
