/** Whether a host is this machine itself, by name or address, as it is listened on or as a `Host` header has it. */
export function isLoopbackName(name: string): boolean {
  return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[?::1\]?)$/i.test(name)
}

/**
 * A page of any site can make its own name lead to this machine (DNS rebinding), and is then free to read what is served here and
 * to send what changes it: to the browser it is all one site. Its `Host` gives it away.
 * @returns the refusal of a request that asks for this machine by a name that is none of its own
 */
export function refuseRebound(request: Request): Response | undefined {
  const host = request.headers.get('host') ?? ''
  if (isLoopbackName(host.replace(/:\d{1,5}$/, ''))) return undefined
  const message =
    'This sidecar listens on this machine alone, and is asked for as localhost, 127.0.0.1 or [::1]; the Host header says ' +
    'otherwise. A proxy in front must send one of these.'
  return Response.json({ error: { code: 'WRONG_HOST', message } }, { status: 403 })
}
