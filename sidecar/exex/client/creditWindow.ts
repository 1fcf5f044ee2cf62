/** What the server may be told it can send: bytes and notifications. */
export type Grant = { readonly bytes: number; readonly notifications: number }

/**
 * Bounds what is received and not yet processed, over all sessions: a new session may send what the window has left.
 * Grants are gathered until they are worth a frame, an eighth of the window, or nothing is outstanding.
 */
export class CreditWindow {
  readonly #window: Grant
  #outstandingBytes = 0
  #outstandingNotifications = 0
  #pendingBytes = 0
  #pendingNotifications = 0

  constructor(window: Grant) {
    this.#window = window
  }

  /** Bytes delivered and not granted yet. */
  get outstandingBytes(): number {
    return this.#outstandingBytes
  }

  /** What a new session begins with. */
  open(): Grant {
    const bytes = this.#window.bytes - this.#outstandingBytes
    // The last notification before may have gone beyond the window: that much is processed before anything is granted.
    this.#pendingBytes = Math.min(0, bytes)
    this.#pendingNotifications = 0
    return {
      bytes: Math.max(0, bytes),
      notifications: Math.max(0, this.#window.notifications - this.#outstandingNotifications),
    }
  }

  delivered(bytes: number): void {
    this.#outstandingBytes += bytes
    this.#outstandingNotifications++
  }

  /** A notification of so many bytes is processed; returns what to grant the server now, if anything. */
  granted(bytes: number): Grant | undefined {
    this.#outstandingBytes -= bytes
    this.#outstandingNotifications--
    this.#pendingBytes += bytes
    this.#pendingNotifications++
    if (this.#pendingBytes < 0) return undefined
    const isWorthIt =
      this.#outstandingNotifications <= 0 ||
      this.#pendingBytes * 8 >= this.#window.bytes ||
      this.#pendingNotifications * 8 >= this.#window.notifications
    if (!isWorthIt) return undefined
    const grant = { bytes: this.#pendingBytes, notifications: this.#pendingNotifications }
    this.#pendingBytes = 0
    this.#pendingNotifications = 0
    return grant
  }
}
