import { type AbiEvent, parseAbiItem, toEventSelector } from 'viem'
import { expect, test } from 'vitest'
import { eventTopics } from '../../../sidecar/findings/topics.ts'

test.each(eventTopics)('topic of $declaration', ({ declaration, topic }) => {
  expect(topic).toBe(toEventSelector(parseAbiItem(declaration) as AbiEvent))
})

test('no two events share the four bytes they are looked up by', () => {
  expect(new Set(eventTopics.map(({ topic }) => topic.slice(0, 10))).size).toBe(eventTopics.length)
})
