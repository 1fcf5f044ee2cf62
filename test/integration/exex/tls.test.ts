import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type ObservedConsumer, type ObservedOptions, observeConsumer } from './observedConsumer.ts'
import { type ScriptedServer, startScriptedServer } from './startScriptedServer.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

describe.skipIf(!hasOpenssl)('TLS (needs openssl to make certificates)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'exex-tls-'))
  const file = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  let subject: ScriptedServer
  let consumer: ObservedConsumer | undefined

  beforeAll(() => {
    const authority = ['-CA', file('ca.pem'), '-CAkey', file('ca.key')]
    const key = (name: string, subjectName: string) => [
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      file(`${name}.key`),
      '-subj',
      subjectName,
    ]
    openssl('req', '-x509', '-days', '2', ...key('ca', '/CN=test authority'), '-out', file('ca.pem'))
    openssl('req', '-x509', '-days', '2', ...key('other', '/CN=another authority'), '-out', file('other.pem'))
    for (const name of ['server', 'client']) {
      openssl(
        'req',
        '-x509',
        '-days',
        '2',
        ...authority,
        ...key(name, `/CN=${name}`),
        '-addext',
        'subjectAltName=DNS:exex.test',
        '-out',
        file(`${name}.pem`),
      )
    }
  })
  afterEach(async () => {
    consumer?.stop()
    await subject.close()
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const start = async (clientCaFile?: string) => {
    const tls = {
      certFile: file('server.pem'),
      keyFile: file('server.key'),
      ...(clientCaFile ? { clientCaFile } : {}),
    }
    subject = await startScriptedServer({ tls })
    subject.feed.commit(2)
  }
  const consume = (tls: ObservedOptions['tls']) => {
    consumer = observeConsumer({ url: subject.url, tls: { serverName: 'exex.test', ...tls } })
    return consumer
  }

  test('carries the chain to a client that trusts the authority', async () => {
    await start()
    const trusting = consume({ caFile: file('ca.pem') })
    await trusting.until('the chain', () => trusting.tip?.number === 2n)
  })

  test('a client that trusts another authority gets nothing, and keeps trying', async () => {
    await start()
    const wary = consume({ caFile: file('other.pem') })
    await wary.until('two attempts', () => wary.disconnects.length >= 2)
    expect(wary.events).toEqual([])
    expect(wary.disconnects[0]).toMatchObject({ code: 'UNAVAILABLE', fatal: false })
  })

  test('with mutual TLS a client needs a certificate of its own', async () => {
    await start(file('ca.pem'))
    const nobody = consume({ caFile: file('ca.pem') })
    await nobody.until('an attempt', () => nobody.disconnects.length >= 1)
    expect(nobody.events).toEqual([])
    nobody.stop()
    const known = consume({
      caFile: file('ca.pem'),
      certFile: file('client.pem'),
      keyFile: file('client.key'),
    })
    await known.until('the chain', () => known.tip?.number === 2n)
  })
})
