import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createByteLru } from '../../../../vector/cache/byteLru.ts'

type Command = readonly ['get' | 'peek' | 'delete' | 'clear', string] | readonly ['put', string, number]

const key = fc.constantFrom(...'abcdefgh')
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constant('put' as const), key, fc.integer({ min: 0, max: 60 })) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom('get' as const, 'peek' as const, 'delete' as const), key),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const), key) },
)

describe('a byte LRU', () => {
  test('does what a list kept by hand does, and never holds more bytes than allowed', () => {
    fc.assert(
      fc.property(fc.array(command), fc.integer({ min: 0, max: 100 }), (commands, limit) => {
        const evicted: string[] = []
        const lru = createByteLru<number>(limit, (key, value) => evicted.push(`${key} ${value}`))
        let list: [string, number, number][] = []
        const gone: string[] = []
        for (const [index, [what, key, bytes = 0]] of commands.entries()) {
          const found = list.find(([held]) => held === key)
          if (what === 'peek') expect(lru.peek(key)).toBe(found?.[1])
          else if (what === 'get') {
            expect(lru.get(key)).toBe(found?.[1])
            if (found) list = [...list.filter((each) => each !== found), found]
          } else if (what === 'clear') {
            lru.clear()
            list = []
          } else {
            list = list.filter((each) => each !== found)
            if (what === 'delete') expect(lru.delete(key)).toBe(found !== undefined)
            else if (bytes > limit) {
              lru.put(key, index, bytes)
              gone.push(`${key} ${index}`)
            } else {
              lru.put(key, index, bytes)
              list.push([key, index, bytes])
              while (list.reduce((sum, [, , size]) => sum + size, 0) > limit) {
                const [key, value] = list.shift()!
                gone.push(`${key} ${value}`)
              }
            }
          }
          expect([...lru.keys()]).toEqual(list.map(([key]) => key))
          expect(lru.bytes()).toBe(list.reduce((sum, [, , size]) => sum + size, 0))
          expect(lru.bytes()).toBeLessThanOrEqual(limit)
          expect(lru.size()).toBe(list.length)
          expect(evicted).toEqual(gone)
        }
      }),
    )
  })
})
