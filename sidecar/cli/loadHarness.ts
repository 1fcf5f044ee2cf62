/** A command asked for what this installation does not carry. */
export class HarnessMissingError extends Error {
  override readonly name = 'HarnessMissingError'
  readonly code = 'HARNESS_MISSING'

  constructor(cause: Error) {
    super(
      `This command starts a chain of its own and needs a checkout of the project; this installation (the container image, or one without development packages) has no harness (${cause.message.split('\n')[0]}). Use \`docker compose -f docker/compose.yaml up\` for a chain beside the sidecar, or run the command from a checkout after \`npm ci\`.`,
      { cause },
    )
  }
}

/** The harness, where it is installed. Throws `HarnessMissingError`. */
export async function loadHarness(): Promise<typeof import('#harness')> {
  try {
    return await import('#harness')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
      throw new HarnessMissingError(error)
    }
    throw error
  }
}
