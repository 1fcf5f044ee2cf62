/** The one door to the harness: nodes, feeds and traffic that the sidecar is run against. */
export { type Anvil, type AnvilOptions, developmentMnemonic, startAnvil } from './anvil.ts'
export { checkTopology } from './assertions/checkTopology.ts'
export { compareWithFreshRun } from './assertions/compareWithFreshRun.ts'
export {
  type ConsensusDriver,
  type ConsensusDriverOptions,
  createConsensusDriver,
} from './consensus/createConsensusDriver.ts'
export { createRpc, type Rpc } from './devnet/createRpc.ts'
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
export {
  type ConsumerTestOptions,
  type ConsumerTestReport,
  type Digest,
  testConsumer,
} from './foreign/testConsumer.ts'
export { type ProcessOptions, startProcess } from './instance/startProcess.ts'
export type { Instance } from './instance/types.ts'
export {
  type LatencySummary,
  type LatencyWatch,
  type Stretch,
  stretches,
  watchLatency,
} from './latency/watchLatency.ts'
export { startTcpLink } from './link/startTcpLink.ts'
export type { Link, LinkState } from './link/types.ts'
export { type Reth, type RethOptions, startReth } from './nodes/startReth.ts'
export type { ChainNode, NodeKind } from './nodes/types.ts'
export { quietPort } from './quietPort.ts'
export { createRandom, type Random } from './random.ts'
export { createReplayChain, type ReplayOptions } from './replay/createReplayChain.ts'
export { openRecording } from './replay/openRecording.ts'
export { type ReplayFeed, type ReplayFeedOptions, startReplayFeed } from './replay/startReplayFeed.ts'
export {
  type Sidecar,
  type SidecarOptions,
  type SidecarStatus,
  startSidecar,
} from './sidecar/startSidecar.ts'
export { createSvmClient, type SvmClient, type SvmClientOptions } from './svm/createSvmClient.ts'
export { type SvmTrafficKind, svmTrafficKinds } from './svm/createSvmTraffic.ts'
export { type EnvelopeContent, encodeEnvelope, routerAddress } from './svm/encodeEnvelope.ts'
export { deriveKeypair, type SvmKeypair } from './svm/keypair.ts'
export type { Backend } from './topology/backend.ts'
export {
  type ContainerBackendOptions,
  containerImages,
  createContainerBackend,
} from './topology/containerBackend.ts'
export { createProcessBackend } from './topology/processBackend.ts'
export {
  type StartedTopology,
  startTopology,
  type TopologyOptions,
} from './topology/startTopology.ts'
export { findTopology, type TopologyName, topologies } from './topology/topologies.ts'
export type { SidecarSpec, TopologySpec } from './topology/types.ts'
export { createTraffic, type TrafficSender, type TrafficSenderOptions } from './workload/createTraffic.ts'
export { createTransfers, type Transfers } from './workload/createTransfers.ts'
