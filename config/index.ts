export { type Binding, bindingDigest } from './bindingDigest.ts'
export {
  ConfigError,
  type ConfigProblem,
  type ConfigProblemCode,
  formatConfigProblems,
} from './configError.ts'
export type { Environment } from './environmentLayer.ts'
export type { ConfigFile } from './fileLayer.ts'
export type { FlagValues } from './flagLayer.ts'
export { type Command, commands, type Flag, flagsFor, profileOf } from './flags.ts'
export { loadConfig, readConfigFile } from './loadConfig.ts'
export { formatOrigin, type Origin } from './origin.ts'
export { type PrintedOption, printConfig, printConfigJson } from './printConfig.ts'
export { type Profile, profiles } from './profiles.ts'
export { type ConfigSources, checkConfig, type ResolvedConfig, resolveConfig } from './resolveConfig.ts'
export type { Config } from './schema.ts'
export { type HostPort, writeHostPort } from './types/hostPort.ts'
export type { ProgramFile } from './types/programs.ts'
export type { StartBlock } from './types/startBlock.ts'
