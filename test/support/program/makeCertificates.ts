import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** PEM files of an authority of its own, and of a server for 127.0.0.1 that it vouches for. */
export type Certificates = { readonly caFile: string; readonly certFile: string; readonly keyFile: string }

/** Makes them in a new folder, with openssl, good for a day. */
export function makeCertificates(folder: string): Certificates {
  mkdirSync(folder, { recursive: true })
  const [caFile, caKey, certFile, keyFile] = ['ca.pem', 'ca.key', 'server.pem', 'server.key'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string]
  const request = join(folder, 'server.csr')
  const extensions = join(folder, 'server.ext')
  writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    'req',
    '-x509',
    ...key,
    '-days',
    '1',
    '-subj',
    '/CN=test authority',
    '-keyout',
    caKey,
    '-out',
    caFile,
  )
  openssl('req', ...key, '-subj', '/CN=localhost', '-keyout', keyFile, '-out', request)
  openssl(
    ...['x509', '-req', '-in', request, '-CA', caFile, '-CAkey', caKey, '-CAcreateserial'],
    ...['-days', '1', '-extfile', extensions, '-out', certFile],
  )
  return { caFile, certFile, keyFile }
}
