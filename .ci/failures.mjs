// Prints every failed test of a vitest JSON report: its file, its name, and the beginning of what it said.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const [suite, path] = process.argv.slice(2)
const linesEach = 40

/** @param {string} text */
const beginning = (text) => text.split('\n').slice(0, linesEach).join('\n')

let report
try {
  report = JSON.parse(readFileSync(path, 'utf8'))
} catch (error) {
  console.log(`${suite}: ended without a readable report: ${error}`)
  process.exit(0)
}
let named = 0
for (const file of report.testResults) {
  const failed = file.assertionResults.filter((test) => test.status === 'failed')
  for (const test of failed) {
    named++
    console.log(
      `${suite}: ${relative('.', file.name)}: ${test.fullName}\n${beginning(test.failureMessages.join('\n'))}`,
    )
  }
  if (file.status === 'failed' && failed.length === 0) {
    named++
    console.log(`${suite}: ${relative('.', file.name)}\n${beginning(file.message ?? '')}`)
  }
}
if (named === 0) console.log(`${suite}: no test failed, but the run did (an unhandled error, or none ran)`)
