#!/usr/bin/env node
import { main } from './cli/main.ts'

// LanceDB warns of a coming default at every index it builds; this chooses that default.
process.env.LANCE_INCLUDE_VECTOR_CENTROIDS ??= 'false'

process.exitCode = await main(process.argv.slice(2), process.env)
