/**
 * Turns text into vectors, for questions of people and the documents they search. Never for routing: decisions know the
 * feature hash only.
 */
export interface Embedder {
  /** Names model, version and dimensions together: vectors of two ids are never compared. */
  readonly id: string
  /** Length of every vector. */
  readonly dimensions: number
  /**
   * One vector for each text, in the order of the texts; finite, and not all zero. Throws `EmbedderError`, or the signal's
   * reason when that fires.
   */
  embed(texts: readonly string[], signal?: AbortSignal): Promise<readonly Float32Array[]>
}
