/** What a link does to what goes through it. */
export type LinkState = {
  /** Milliseconds added on the way there, and again on the way back. */
  readonly delayMs?: number
  /** Bytes a second at most, each way. */
  readonly bytesPerSecond?: number
}

/** A TCP connection between two programs of a topology that can be made worse than it is. */
export type Link = AsyncDisposable & {
  readonly name: string
  /** `host:port`, where clients connect. */
  readonly address: string
  /** From now on, for connections open already too; `{}` is a plain wire. */
  set(state: LinkState): Promise<void>
  /** Ends every connection, and refuses new ones until `restore`. */
  cut(): Promise<void>
  /** Half-open: connections stay and can be made, nothing comes through until `restore`. */
  stall(): Promise<void>
  /** Breaks every connection with a reset; new ones are taken at once. */
  reset(): Promise<void>
  /** As it was at first, but for where it leads. */
  restore(): Promise<void>
  /** Leads to another server from now on; connections to the old one are reset. */
  lead(target: string): Promise<void>
}
