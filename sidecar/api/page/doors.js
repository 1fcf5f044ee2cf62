/** A door's refusal, in its own words. */
export class DoorError extends Error {
  constructor(code, message) {
    super(message)
    this.code = code
  }
}

/** The JSON of one of the sidecar's doors. Throws `DoorError`. */
export async function ask(path, parameters = {}, signal = undefined) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '')
  const query = given.length > 0 ? `?${new URLSearchParams(given)}` : ''
  let response
  try {
    response = await fetch(`../${path}${query}`, { signal, headers: { accept: 'application/json' } })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new DoorError('UNREACHABLE', 'The sidecar does not answer. It may have stopped.')
  }
  const body = await response.json()
  if (response.ok) return body
  throw new DoorError(
    body.error?.code ?? `HTTP_${response.status}`,
    body.error?.message ?? 'The sidecar refused.',
  )
}
