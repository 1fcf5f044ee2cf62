import { isIPv4, isIPv6 } from 'node:net'
import type { ValueType } from './valueType.ts'

/** Where to listen. `host` is without brackets, also for IPv6; port 0 takes any free one. */
export type HostPort = { readonly host: string; readonly port: number }

/** `HOST:PORT`, an IPv6 host in brackets. */
export function hostPort(): ValueType<HostPort> {
  const expected =
    'HOST:PORT with a port from 0 to 65535, such as "127.0.0.1:8080", "0.0.0.0:8080" or "[::1]:0"'
  return {
    name: 'host:port',
    expected,
    unit: undefined,
    parse(raw) {
      const [, bracketed, named, port] =
        typeof raw === 'string' ? (/^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(raw) ?? []) : []
      const host = bracketed ?? named
      const isGood = bracketed !== undefined ? isIPv6(bracketed) : named !== undefined && isHostName(named)
      return host !== undefined && isGood && Number(port) <= 65_535
        ? { value: { host, port: Number(port) } }
        : { expected }
    },
    fromText: (text) => text,
    write: writeHostPort,
    plain: writeHostPort,
  }
}

/** The one spelling of a place to listen: `host:port`, an IPv6 host in brackets. */
export function writeHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function isHostName(text: string): boolean {
  // Digits and dots only is meant as an IPv4 address: 256.0.0.1 is a typo, not a name.
  if (/^[\d.]+$/.test(text)) return isIPv4(text)
  return (
    text.length <= 253 &&
    text.split('.').every((label) => /^[A-Za-z0-9]([\w-]{0,61}[A-Za-z0-9])?$/.test(label))
  )
}
