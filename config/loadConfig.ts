import { readFile } from 'node:fs/promises'
import type { ConfigFile } from './fileLayer.ts'
import { type ConfigSources, type ResolvedConfig, resolveConfig } from './resolveConfig.ts'

/**
 * Reads the file that the flag `--config` names, if any. A file that cannot be read is no exception here but a problem
 * among the others: pass the result on as `file`.
 */
export async function readConfigFile(flags: { readonly config?: unknown }): Promise<ConfigFile | undefined> {
  if (typeof flags.config !== 'string') return undefined
  try {
    return { path: flags.config, text: await readFile(flags.config, 'utf8') }
  } catch (error) {
    return { path: flags.config, unreadable: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * `resolveConfig` with the file of the flag `--config`.
 * @throws {ConfigError} with every problem
 */
export async function loadConfig(sources: Omit<ConfigSources, 'file'>): Promise<ResolvedConfig> {
  return resolveConfig({ ...sources, file: await readConfigFile(sources.flags ?? {}) })
}
