// Chains that do what a script says, and a proxy that breaks the wire by name.
export { type BlockFields, buildBlock, type LogFields, type TransactionFields } from './buildBlock.ts'
export {
  type BlocksOrCount,
  createScriptedFeed,
  type ScriptedFeed,
  type ScriptedFeedOptions,
} from './createScriptedFeed.ts'
export { type FaultyProxy, type FeedFault, feedFaults, startFaultyProxy } from './startFaultyProxy.ts'
