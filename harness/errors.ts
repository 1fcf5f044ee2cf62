/** What went wrong while running a harness part, by what the caller can do about it. */
export type HarnessErrorCode =
  | 'ANVIL_MISSING'
  | 'ANVIL_DIED'
  | 'ANVIL_NOT_READY'
  | 'INSTANCE_DIED'
  | 'INSTANCE_NOT_READY'
  | 'INSTANCE_UNREACHABLE'
  | 'CONTAINERS_MISSING'
  | 'BACKEND_OPTIONS'
  | 'LINK_FAILED'
  | 'ENGINE_REFUSED'
  | 'SIDECAR_BEHIND'
  | 'SIDECAR_DIVERGED'
  | 'LEDGER_UNSUITABLE'
  | 'NODE_MISSING'
  | 'CONSUMER_DIVERGED'
  | 'RPC_FAILED'
  | 'DEVNET_OPTIONS'
  | 'DEVNET_DIVERGED'
  | 'REPLAY_OPTIONS'
  | 'REPLAY_FILE'
  | 'REPLAY_FEED_DIED'

/** A harness part could not do its work. The message says what was expected, what came, and where. */
export class HarnessError extends Error {
  override readonly name = 'HarnessError'
  readonly code: HarnessErrorCode

  constructor(code: HarnessErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
