/** The address cannot be listened on: in use, not ours, or not permitted. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code = 'SHIM_LISTEN'

  constructor(listen: string, cause: Error) {
    const why = /EADDRINUSE/.test(cause.message) ? 'the address is in use' : cause.message
    super(
      `Cannot serve the chain on ${listen}: ${why}. Choose another with --listen (shim.listen); port 0 takes any free one.`,
      { cause },
    )
  }
}
