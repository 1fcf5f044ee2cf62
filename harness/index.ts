/** The one door to the harness: nodes, feeds and traffic that the sidecar is run against. */
export { type Anvil, type AnvilOptions, developmentMnemonic, startAnvil } from './anvil.ts'
export type {
  MinedBlock,
  TrafficHooks,
  TrafficNode,
  TrafficOptions,
  TrafficResult,
} from './devnet/runTraffic.ts'
export { runTraffic } from './devnet/runTraffic.ts'
export { type Devnet, type DevnetOptions, startDevnet } from './devnet/startDevnet.ts'
export { HarnessError, type HarnessErrorCode } from './errors.ts'
export { createRandom, type Random } from './random.ts'
export type { ReplayOptions } from './replay/createReplayChain.ts'
export { type ReplayFeed, type ReplayFeedOptions, startReplayFeed } from './replay/startReplayFeed.ts'
export { createSvmClient, type SvmClient, type SvmClientOptions } from './svm/createSvmClient.ts'
export { type SvmTrafficKind, svmTrafficKinds } from './svm/createSvmTraffic.ts'
export { type EnvelopeContent, encodeEnvelope, routerAddress } from './svm/encodeEnvelope.ts'
export { deriveKeypair, type SvmKeypair } from './svm/keypair.ts'
