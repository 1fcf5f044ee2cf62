import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { renderExample } from './renderExample.ts'
import { renderReference } from './renderReference.ts'

// Run with `node config/writeDocs.ts` after an option has changed.
await writeFile(join(import.meta.dirname, 'README.md'), renderReference())
await writeFile(join(import.meta.dirname, 'monmouth.example.toml'), renderExample())
