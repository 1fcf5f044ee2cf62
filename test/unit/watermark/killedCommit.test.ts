import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openStore } from '../../../sidecar/watermark/openStore.ts'
import { verifyStore } from '../../../sidecar/watermark/verifyStore.ts'
import { createRandom } from './chainModel.ts'
import { scriptedCommits } from './scriptedCommits.ts'
import { identity, modelAll, readAll, silent, temporaryDirectory } from './storeFixture.ts'

const committer = fileURLToPath(new URL('./committer.ts', import.meta.url))
const kills = 24

/** Runs a committer until it has said `lines` lines, and kills it `afterMicroseconds` later. */
async function runAndKill(directory: string, seed: number, lines: number, afterMicroseconds: number) {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', committer, directory, `${seed}`],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let said = ''
  child.stdout.setEncoding('utf8')
  let toGo = lines
  child.stdout.on('data', (text: string) => {
    said += text
    toGo -= text.split('\n').length - 1
    if (toGo > 0) return
    // Busy, as a timer is far coarser than a commit: the kill shall fall anywhere inside one.
    const end = performance.now() + afterMicroseconds / 1000
    while (performance.now() < end);
    child.kill('SIGKILL')
  })
  const [, signal] = await once(child, 'close')
  expect(signal, 'the committer ended by itself').toBe('SIGKILL')
  const numbers = (word: string) =>
    [...said.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map(([, n]) => Number(n))
  return { staged: numbers('staged').at(-1) ?? 0, durable: numbers('durable').at(-1) ?? 0 }
}

test(`${kills} kills inside commits each leave exactly a committed prefix`, async () => {
  const directory = temporaryDirectory()
  const seed = 20_261_121
  const random = createRandom(seed)
  const script = scriptedCommits(seed)
  let model = script.next().value!
  let inside = 0
  for (let kill = 1; kill <= kills; kill++) {
    const told = await runAndKill(directory, seed, 2 + random(12), random(4000))
    // Two of three times the next process finds the files as the killed one left them, its log unfolded.
    const readOnly = kill % 3 !== 0
    const store = openStore(
      { directory, identity, undoDepth: 16, retainDecisions: 0, readOnly },
      { logger: silent },
    )
    const reached = store.progress().totals.deposits
    const seen = readAll(store)
    expect(verifyStore({ directory }, { logger: silent }).problems, `kill ${kill}`).toEqual([])
    store.close()
    expect(reached, `kill ${kill}: durable before it`).toBeGreaterThanOrEqual(told.durable)
    if (told.staged > told.durable) inside++
    while (model.commit < reached) model = script.next().value!
    expect(seen, `kill ${kill} at commit ${reached}, seed ${seed}`).toEqual(modelAll(model.model))
  }
  expect(inside, 'kills between stage and the end of commit').toBeGreaterThan(0)
  expect(model.commit, 'commits made').toBeGreaterThan(kills)
}, 180_000)
