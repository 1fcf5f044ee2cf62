/** `npm run wasm`: assembles vector/held/scanColumns.wat into the module beside it, which is kept with the code. */
import { readFile, writeFile } from 'node:fs/promises'
import wabt from 'wabt'

const folder = new URL('../../../vector/held/', import.meta.url)
export const moduleFile = new URL('scanColumns.wasm', folder)

export async function assembleScan(): Promise<Buffer> {
  const text = await readFile(new URL('scanColumns.wat', folder), 'utf8')
  const { parseWat } = await wabt()
  const parsed = parseWat('scanColumns.wat', text, { simd: true, threads: true })
  try {
    return Buffer.from(parsed.toBinary({}).buffer)
  } finally {
    parsed.destroy()
  }
}

if (import.meta.main) await writeFile(moduleFile, await assembleScan())
