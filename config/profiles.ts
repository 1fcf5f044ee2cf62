import type { Config, OptionEntry } from './schema.ts'

/** A named set of values that stand in for the defaults; any other source overrides them. */
export type Profile = 'attach' | 'devnet' | 'replay' | 'test'

type Values = { readonly [S in keyof Config]?: Partial<Config[S]> }

/** What each profile changes. `attach` is the defaults themselves. */
export const profiles: Readonly<Record<Profile, { readonly meaning: string; readonly values: Values }>> = {
  attach: { meaning: 'A running node. The defaults as they are.', values: {} },
  devnet: {
    meaning: 'An embedded chain with traffic and reorgs: context and learning show within a minute.',
    values: {
      general: { dataDir: './.monmouth/devnet', logLevel: 'warn' },
      shim: { listen: { host: '127.0.0.1', port: 0 }, pollInterval: 100 },
      context: { epoch: 16, lag: 8 },
      devnet: { reorgEvery: 10, reorgDepth: 3 },
    },
  },
  replay: {
    meaning: 'Recorded blocks.',
    values: {
      general: { dataDir: './.monmouth/replay', logLevel: 'warn' },
      shim: { listen: { host: '127.0.0.1', port: 0 } },
    },
  },
  test: {
    meaning: 'Short chains in tests: every window and limit is small enough to be reached, no port is fixed.',
    values: {
      general: { dataDir: './.monmouth/test', logLevel: 'warn' },
      http: { listen: { host: '127.0.0.1', port: 0 } },
      node: { reconnectMinMs: 10, reconnectMaxMs: 200 },
      shim: {
        listen: { host: '127.0.0.1', port: 0 },
        pollInterval: 20,
        ringBlocks: 64,
        ringBytes: 4 * 1024 * 1024,
        batchBlocks: 8,
      },
      finality: { depth: 16 },
      state: { undoDepth: 64, retainDecisions: 1000 },
      learn: { lag: 2, halfLife: 32 },
      context: { epoch: 4, lag: 2, patterns: 64 },
      findings: { window: 8, keep: 16 },
      vector: {
        outboxLimitRows: 1000,
        indexCacheBytes: 16 * 1024 * 1024,
        metadataCacheBytes: 4 * 1024 * 1024,
        optimizeEvery: 10,
      },
      devnet: { blocks: 20, blockTime: 0, reorgEvery: 0 },
    },
  },
}

/** True for the name of a profile. */
export function isProfile(name: unknown): name is Profile {
  return typeof name === 'string' && Object.hasOwn(profiles, name)
}

/** The value that a profile gives an option; undefined when it leaves the default. */
export function profileValue(entry: OptionEntry, profile: Profile): unknown {
  const values: Readonly<Record<string, unknown>> = profiles[profile].values[entry.section] ?? {}
  return values[entry.name]
}
