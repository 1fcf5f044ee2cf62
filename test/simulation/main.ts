import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/**
 * Runs the simulation tier: `--runs N --seed S --kills K`, and whatever else vitest takes. The numbers travel to the
 * tests by environment, as vitest refuses flags it does not know.
 */
const own = { '--runs': 'SIMULATION_RUNS', '--seed': 'SIMULATION_SEED', '--kills': 'SIMULATION_KILLS' }
const env: NodeJS.ProcessEnv = { ...process.env }
const passedOn: string[] = []
const words = process.argv
  .slice(2)
  .flatMap((word) => (/^--(runs|seed|kills)=/.test(word) ? word.split('=', 2) : [word]))
for (let place = 0; place < words.length; place++) {
  const word = words[place]!
  if (!(word in own)) {
    passedOn.push(word)
    continue
  }
  const value = words[++place]
  if (value === undefined || !/^\d+$/.test(value)) {
    console.error(`${word}: expected a whole number, got ${value ?? 'nothing'}`)
    process.exit(2)
  }
  env[own[word as keyof typeof own]] = value
}
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
const child = spawn(process.execPath, [vitest, 'run', '--project', 'simulation', ...passedOn], {
  env,
  stdio: 'inherit',
})
child.on('close', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1
})
