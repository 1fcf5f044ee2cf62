import { isPrintable } from './text.ts'
import type { ValueType } from './valueType.ts'

/**
 * A URL of one of the given schemes, kept as it was written. `grpc` and `grpcs` have no usual port, so they need one,
 * and take no path. Shown with credentials taken out: endpoints of node providers carry their key in the path.
 */
export function url<const S extends string>(schemes: readonly S[]): ValueType<string> {
  const expected = `a URL such as ${schemes.map((scheme) => `${scheme}://HOST:PORT`).join(', ')}`
  return {
    name: `url (${schemes.join(', ')})`,
    expected,
    unit: undefined,
    parse: (raw) =>
      typeof raw === 'string' && isPrintable(raw) && isUrlOf(raw, schemes) ? { value: raw } : { expected },
    fromText: (text) => text,
    write: (value) => value,
    plain: (value) => value,
    mask: maskUrl,
  }
}

/** Scheme, host and port of a URL; what else it holds becomes `***`. Text that is no URL is masked whole. */
export function maskUrl(text: string): string {
  if (!URL.canParse(text)) return '***'
  const { protocol, username, password, host, pathname, search, hash } = new URL(text)
  // No host means the parts were not told apart (`localhost:8545`, `user:password@host`): anything may be in there.
  if (host === '') return '***'
  const hasMore = (pathname !== '' && pathname !== '/') || search !== '' || hash !== ''
  const account = username === '' && password === '' ? '' : '***@'
  if (!hasMore && account === '') return text
  return `${protocol}//${account}${host}${hasMore ? '/***' : ''}`
}

function isUrlOf(text: string, schemes: readonly string[]): boolean {
  if (!URL.canParse(text) || /\s/.test(text)) return false
  const { protocol, host, port, pathname, search, hash } = new URL(text)
  const scheme = protocol.slice(0, -1)
  if (!schemes.includes(scheme) || host === '' || !text.includes('://')) return false
  return !scheme.startsWith('grpc') || (port !== '' && `${pathname}${search}${hash}`.length <= 1)
}
