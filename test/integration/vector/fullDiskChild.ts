/** Run with `ulimit -f`: writes until a file may not grow any more, and says what came of it as JSON. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blockEntry, everything, openIn } from '../../unit/vector/support.ts'

const folder = mkdtempSync(join(tmpdir(), 'full-disk-'))
const codeOf = (error: unknown) => (error as { code?: string }).code ?? String(error)
const store = await openIn(folder)
try {
  await store.apply([blockEntry(1)])
  const apply = await store.apply([blockEntry(2, 4_000)]).then(() => 'no failure', codeOf)
  const text = Array.from({ length: 80_000 }, (_, index) => `word${index}`).join(' ')
  const document = await store
    .addDocument({ title: 'long', kind: 'note', text })
    .then(() => 'no failure', codeOf)
  const { items } = await store.search({ ...everything, query: 'transfers' })
  // What fits is written, by the same store.
  await store.apply([blockEntry(2)])
  const repeated = (await store.search({ ...everything, query: 'block:2' })).items.length > 0
  process.stdout.write(JSON.stringify({ apply, document, found: items.length > 0, repeated }))
} finally {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
}
