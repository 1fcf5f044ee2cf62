/** Lets one loop sleep until something has happened; a notice that comes while it works is not lost. */
export class WakeUp {
  #pending = false
  #wake: (() => void) | undefined

  notify(): void {
    this.#pending = true
    this.#wake?.()
  }

  /** Resolves at the next notice, at once if there was one since the last wait. */
  async wait(): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#wake = undefined
    this.#pending = false
  }
}
