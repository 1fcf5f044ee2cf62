import { expect, test } from 'vitest'
import { residentBytes } from '../../../../vector/process/residentBytes.ts'

test.runIf(process.platform === 'linux')('resident bytes are those that the process itself sees', () => {
  const seen = process.memoryUsage.rss()
  expect(residentBytes(process.pid)).toBeGreaterThan(seen / 2)
  expect(residentBytes(process.pid)).toBeLessThan(seen * 2)
  expect(residentBytes('self', 'RssAnon')).toBeLessThan(seen * 2)
})

test('a process that is not there tells of none', () => {
  expect(residentBytes(2 ** 30)).toBeUndefined()
})
