import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { block, openCached, undo } from './modelStore.ts'

const turns = async (count = 5) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('a cached store', () => {
  test('asks once for each question and state', async () => {
    const { cached, brief, searches } = openCached()
    expect([await brief('a'), await brief('a'), await brief('b'), await brief(' a ')]).toEqual([
      'store 0',
      'memory 0',
      'store 0',
      'memory 0',
    ])
    await cached.apply([block(1)])
    expect([await brief('a'), await brief('a')]).toEqual(['store 1', 'memory 1'])
    expect(searches).toHaveLength(3)
    expect(cached.getCacheStats()).toMatchObject({
      ...{ misses: 3, hits: 3, hitRate: 0.5, entries: 1, forgotten: 2 },
    })
  })

  test('an answer tells the question as it was asked, and none can be changed', async () => {
    const { ask, cached } = openCached()
    await ask('a  question')
    const { answer } = await ask(' a question ')
    expect(answer.query).toBe(' a question ')
    expect(() => Object.assign(answer.items[0]!.facts, { more: 1 })).toThrow(TypeError)
    expect((await cached.search({ query: 'a question', limit: 10, tokens: 99 })).budget.tokens).toBe(99)
  })

  test.each([
    ['a block', [block(1)]],
    ['an undo', [undo(1)]],
    ['what became final', [{ kind: 'finalized' as const, number: 1n }]],
    ['patterns', [{ kind: 'patterns' as const, boundary: 1n, upsert: [], remove: [] }]],
  ])('%s makes every answer old, from its first step on', async (_, entries) => {
    const { cached, brief } = openCached({}, () => turns(1))
    await brief('a')
    const writing = cached.apply(entries)
    expect(cached.getCacheStats()).toMatchObject({ entries: 0, bytes: 0 })
    await writing
    expect(await brief('a')).toBe('store 1')
  })

  test('so does a write that fails half-way, a document, and what the background does', async () => {
    const { cached, brief, change } = openCached()
    await brief('a')
    await expect(cached.apply([{ kind: 'finalized', number: 666n }])).rejects.toThrow('half written')
    expect(await brief('a')).toBe('store 1')
    await cached.addDocument({} as never)
    expect(await brief('a')).toBe('store 2')
    await cached.removeDocument('x')
    expect(await brief('a')).toBe('store 3')
    change()
    expect(await brief('a')).toBe('memory 3')
    cached.changed()
    expect(await brief('a')).toBe('store 4')
    // What only reads makes nothing old.
    await Promise.all([
      cached.documents(),
      cached.neighbours({} as never),
      cached.callNames([]),
      cached.stats(),
      cached.patternsAt(1n),
    ])
    expect(await brief('a')).toBe('memory 4')
  })

  test('what is asked while something is written is not kept', async () => {
    const { cached, brief } = openCached({}, () => turns(1))
    const writing = cached.apply([block(1)])
    await brief('a')
    await writing
    expect(cached.getCacheStats()).toMatchObject({ unkept: 1, entries: 0 })
    expect(await brief('a')).toBe('store 1')
  })

  test('many who ask the same at once are answered by one question', async () => {
    const { ask, searches, cached } = openCached({}, () => turns(1))
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask('a')))
    expect(searches).toHaveLength(1)
    expect(answers.filter(({ source }) => source === 'joined')).toHaveLength(199)
    expect(cached.getCacheStats()).toMatchObject({ misses: 1, joined: 199 })
  })

  test('a failure is told to all who wait for it, and not remembered', async () => {
    const { ask, searches } = openCached()
    const asked = await Promise.allSettled([ask('broken'), ask('broken')])
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await expect(ask('broken')).rejects.toThrow('no')
    expect(searches).toHaveLength(2)
  })

  test('answers live as long as they may, empty and warned ones shorter', async () => {
    const { brief, pass, cached } = openCached()
    const all = async () => [await brief('a'), await brief('empty'), await brief('warned')]
    await all()
    pass(99)
    expect(await all()).toEqual(['memory 0', 'memory 0', 'memory 0'])
    pass(1)
    expect(await all()).toEqual(['memory 0', 'store 0', 'store 0'])
    pass(899)
    expect(await brief('a')).toBe('memory 0')
    pass(1)
    expect(await brief('a')).toBe('store 0')
    expect(cached.getCacheStats().negative).toBe(1)
    // The clock was set back.
    pass(-10_000)
    expect(await brief('a')).toBe('store 0')
  })

  test('takes no more memory than it may, and gives up what was not asked for longest', async () => {
    const { brief, cached } = openCached({ bytes: 5_000 })
    for (let index = 0; index < 100; index += 1) {
      await brief(`question ${index}`)
      expect(cached.getCacheStats().bytes).toBeLessThanOrEqual(5_000)
    }
    const { entries, evicted } = cached.getCacheStats()
    expect(entries).toBeGreaterThan(1)
    expect(entries + evicted).toBe(100)
    expect(await brief('question 99')).toBe('memory 0')
    expect(await brief('question 0')).toBe('store 0')
  })

  test('tells what answered each question', async () => {
    const { brief, told } = openCached({}, () => turns(1))
    await Promise.all([brief('a'), brief('a')])
    await brief('a')
    expect(told.sort()).toEqual(['joined', 'memory', 'store'])
  })

  test('closed, it answers nothing any more, not even what it knows', async () => {
    const { cached, brief } = openCached()
    await brief('a')
    await cached.close()
    await cached.close()
    await expect(brief('a')).rejects.toThrow('closed')
  })
})

describe('invalidating', () => {
  test('forgets what fits the pattern, and says how many', async () => {
    const { cached, brief } = openCached()
    for (const query of ['failed swaps', 'failed transfers', 'swaps of today', 'swaps']) await brief(query)
    expect(cached.invalidateCache('FAILED*')).toBe(2)
    expect(cached.invalidateCache('failed*')).toBe(0)
    expect(cached.invalidateCache('swap')).toBe(0)
    expect(await brief('failed swaps')).toBe('store 0')
    expect(await brief('swaps')).toBe('memory 0')
    expect(cached.invalidateCache('*')).toBe(3)
    expect(cached.getCacheStats()).toMatchObject({ invalidated: 5, entries: 0, bytes: 0 })
  })

  test('reaches what is on its way: it is not kept, and nobody joins it any more', async () => {
    const { cached, brief, searches } = openCached({}, () => turns(1))
    const asking = brief('a')
    cached.invalidateCache('*')
    expect(await brief('a')).toBe('store 0')
    await asking
    expect(searches).toHaveLength(2)
    expect(cached.getCacheStats()).toMatchObject({ unkept: 1, entries: 1 })
  })
})

describe('warming', () => {
  test('asks what it is given, and tells what failed', async () => {
    const { cached, brief } = openCached()
    const requests = ['a', 'broken', 'b'].map((query) => ({ query, limit: 10, tokens: 100 }))
    expect(await cached.warmCache(requests)).toEqual({
      warmed: 2,
      failed: [{ query: 'broken', reason: 'QUERY_INVALID' }],
    })
    expect([await brief('a'), await brief('b')]).toEqual(['memory 0', 'memory 0'])
  })
})

describe('asking ahead', () => {
  const prefetch = { windowSize: 10, threshold: 0.75 }

  test('asks again what was asked often once a block made it old, and nothing else', async () => {
    const { cached, brief, searches } = openCached({ prefetch })
    for (const query of ['a', 'a', 'b', 'a', 'b', 'c']) await brief(query)
    for (let count = 0; count < 4; count += 1) await brief('broken').catch(() => undefined)
    searches.length = 0
    await cached.apply([block(1)])
    await expect.poll(() => cached.getCacheStats().prefetched).toBe(1)
    expect(searches.map(({ query }) => query)).toEqual(['a'])
    expect([await brief('a'), await brief('b')]).toEqual(['memory 1', 'store 1'])
    expect(cached.getCacheStats()).toMatchObject({ prefetched: 1, prefetchedUsed: 1 })
  })

  test('asks not twice for nobody', async () => {
    const { cached, brief } = openCached({ prefetch })
    const asked = async (number: number) => {
      await cached.apply([block(number)])
      // A timer that was set later and runs longer ends after the one that asking ahead waits for.
      await new Promise((resolve) => setTimeout(resolve, 20))
      await turns()
      return cached.getCacheStats().prefetched
    }
    for (let count = 0; count < 3; count += 1) await brief('a')
    expect([await asked(1), await asked(2), await asked(3)]).toEqual([1, 1, 1])
    expect(await brief('a')).toBe('store 3')
    expect([await asked(4), await asked(5)]).toEqual([2, 2])
    expect(cached.getCacheStats().prefetchedUsed).toBe(0)
  })

  test('asks anew before a likely answer is too old', async () => {
    const { brief, pass, cached, searches } = openCached({ prefetch })
    for (let count = 0; count < 3; count += 1) await brief('a')
    pass(801)
    expect(await brief('a')).toBe('memory 0')
    await turns()
    expect(searches).toHaveLength(2)
    pass(801)
    expect(await brief('a')).toBe('memory 0')
    expect(cached.getCacheStats().misses).toBe(1)
  })

  test('does nothing while writes come one after the other', async () => {
    const { cached, brief, searches } = openCached({ prefetch }, () => turns(1))
    for (let count = 0; count < 3; count += 1) await brief('a')
    searches.length = 0
    const writes = Array.from({ length: 20 }, (_, index) => cached.apply([block(index)]))
    await Promise.all(writes)
    const meanwhile = searches.length
    await expect.poll(() => searches.length).toBeGreaterThan(0)
    expect(meanwhile).toBe(0)
  })
})

describe('whatever comes at once', () => {
  test('no answer is older than what was written before it was asked for, and none from memory is of a state that a write has begun to end', async () => {
    const sources = { memory: 0, joined: 0, store: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(
          fc.oneof(
            { weight: 4, arbitrary: fc.constantFrom('a', 'b', ' a', 'empty') },
            { weight: 2, arbitrary: fc.constantFrom('block', 'undo', 'failing', 'document', 'forget') },
            { weight: 1, arbitrary: fc.constantFrom('changed', 'invalidate', 'pause') },
          ),
          { maxLength: 25 },
        ),
        async (scheduler, steps) => {
          const prefetch = { windowSize: 5, threshold: 0.5 }
          const { cached, ask, state, change } = openCached({ prefetch }, (label) =>
            scheduler.schedule(Promise.resolve(), label),
          )
          let begun = 0
          let ended = 0
          let number = 0
          const running: Promise<unknown>[] = []
          const write = (work: () => Promise<unknown>) => {
            begun += 1
            const ends = () => {
              ended += 1
            }
            running.push(work().then(ends, ends))
          }
          const sequence = scheduler.scheduleSequence(
            steps.map((step) => ({
              label: step,
              builder: async () => {
                if (step === 'block') {
                  number += 1
                  write(() => cached.apply([block(number)]))
                } else if (step === 'undo') write(() => cached.apply([undo(number)]))
                else if (step === 'failing') write(() => cached.apply([{ kind: 'finalized', number: 666n }]))
                else if (step === 'document') write(() => cached.addDocument({} as never))
                else if (step === 'forget') write(() => cached.removeDocument('x'))
                else if (step === 'changed') {
                  begun += 1
                  change()
                  cached.changed()
                  ended += 1
                } else if (step === 'invalidate') cached.invalidateCache('a*')
                else if (step !== 'pause') {
                  const before = { begun, ended }
                  running.push(
                    ask(step).then(({ answer, source }) => {
                      const seen = Number(answer.asOf!.number)
                      sources[source] += 1
                      expect(answer.query).toBe(step)
                      expect(seen).toBeLessThanOrEqual(begun)
                      expect(seen).toBeGreaterThanOrEqual(before.ended)
                      if (source === 'memory') expect(before).toEqual({ begun: seen, ended: seen })
                    }),
                  )
                }
              },
            })),
          )
          await scheduler.waitIdle()
          await Promise.all(running)
          expect((await sequence.task).faulty).toBe(false)
          expect(state()).toBe(ended)
          const closing = cached.close()
          await scheduler.waitIdle()
          await closing
        },
      ),
      { numRuns: 500 },
    )
    // Else nothing was tried but the store itself.
    expect(Math.min(...Object.values(sources)), JSON.stringify(sources)).toBeGreaterThan(0)
  })
})
