import { defineConfig } from 'vitest/config'

// One project per tier, named by what it needs. `npm test` runs the ones that need nothing but Node.
const tier = (name: string, testTimeout: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: 60_000,
    pool: 'forks' as const,
  },
})

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      tier('unit', 120_000),
      tier('integration', 300_000),
      tier('simulation', 900_000),
      tier('topology', 300_000),
      tier('reth', 1_200_000),
    ],
  },
})
