/** What the launcher was told, or what a plain `vitest` run gets. */
export const simulationOptions = {
  /** Runs of the simulation, each from the seed after the one before. Default 40. */
  runs: numberOf('SIMULATION_RUNS', 40),
  /** Seed of the first run. Default 1. */
  seed: numberOf('SIMULATION_SEED', 1),
  /** Kills of the real process. Default 50. */
  kills: numberOf('SIMULATION_KILLS', 50),
}

function numberOf(name: string, fallback: number): number {
  const text = process.env[name]
  if (text === undefined || text === '') return fallback
  if (!/^\d+$/.test(text)) throw new Error(`${name}: expected a whole number, got ${JSON.stringify(text)}`)
  return Number(text)
}
