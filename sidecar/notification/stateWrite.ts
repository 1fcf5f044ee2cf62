/**
 * The tables of durable state that blocks change. Every stage owns its own:
 *
 * - `account`: SVM accounts, key = 32-byte public key
 * - `svm`: what else the executor keeps (lattice hash, recent blockhashes), key = ASCII name
 * - `pattern`: learner state, key = 25-byte pattern (contract or program, selector or discriminator, domain)
 * - `outcome`: outcomes waiting `learn.lag` blocks to be learnt, key = block number, 8 bytes big-endian
 * - `context`: the context rows an epoch was decided with, key = boundary, 8 bytes big-endian
 * - `projected`: rows as last handed to the vector store's `patterns`, key = 25-byte pattern
 * - `finding`: what was noticed in the last blocks and what is remembered of them, key = kind, and number as 8 bytes big-endian
 * - `model`: what the scorer of envelopes learnt, key = kind, and the row in 3 bytes, big-endian, where a kind has many
 */
export const stateTables = [
  'account',
  'svm',
  'pattern',
  'outcome',
  'context',
  'projected',
  'finding',
  'model',
] as const
export type StateTable = (typeof stateTables)[number]

/**
 * One change of durable state by one block, with its pre-image. Undoing a block puts back `before` for each of its
 * writes, newest first: there is no other undo code, in memory or on disk.
 */
export type StateWrite = {
  readonly table: StateTable
  readonly key: Uint8Array
  /** undefined: the key was not there. */
  readonly before: Uint8Array | undefined
  /** undefined: the key is removed. */
  readonly after: Uint8Array | undefined
}
