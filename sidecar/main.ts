#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// Types are stripped and code compiled once instead of at every start; by the processes started from here too. In the
// user's own folder: what lies in a shared one could be another's code.
process.env.NODE_COMPILE_CACHE ??= join(
  process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  'monmouth',
  'compiled',
)
enableCompileCache(process.env.NODE_COMPILE_CACHE)

// LanceDB warns of a coming default at every index it builds; this chooses that default.
process.env.LANCE_INCLUDE_VECTOR_CENTROIDS ??= 'false'

const { main } = await import('./cli/main.ts')
process.exitCode = await main(process.argv.slice(2), process.env)
