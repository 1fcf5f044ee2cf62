/**
 * Exit codes by what the operator has to look at. 0 only on success; 130 and 143 after a second signal.
 */
export const exitCodes = {
  ok: 0,
  failed: 1,
  /** Flags, environment or configuration file. */
  usage: 2,
  /** The data directory: full, read-only, damaged, in use, of another chain. */
  store: 3,
  /** The node or shim: unreachable, another chain, token refused. */
  node: 4,
  /** The chain went where we cannot follow: a reorg deeper than the kept undo, or below finality. */
  chain: 5,
} as const
