import { describe, expect, test } from 'vitest'
import { createAdmission } from '../../../sidecar/mcp/admitCaller.ts'

const own = '127.0.0.1:8080'
const admitted = (tokens: string[], headers: Record<string, string>, remote: string | undefined) =>
  createAdmission({ tokens })(
    new Request(`http://${own}/mcp`, { headers: { host: own, ...headers } }),
    remote,
  )?.status ?? 'admitted'

describe('without tokens', () => {
  test.each([
    ['127.0.0.1', 'admitted'],
    ['127.8.9.1', 'admitted'],
    ['::1', 'admitted'],
    ['::ffff:127.0.0.1', 'admitted'],
    ['::FFFF:127.0.0.1', 'admitted'],
    ['192.168.0.7', 403],
    ['::ffff:192.168.0.7', 403],
    ['127.0.0.1.evil.example', 403],
    ['fe80::1', 403],
    [undefined, 403],
  ])('a connection from %s is %s', (remote, verdict) => {
    expect(admitted([], {}, remote)).toBe(verdict)
  })

  test.each([
    [{ host: '[::1]:8080' }, 'admitted'],
    [{ host: 'localhost' }, 'admitted'],
    [{ host: 'LOCALHOST:80' }, 'admitted'],
    [{ host: 'localhost.evil.example' }, 403],
    [{ host: '127.0.0.1@evil.example' }, 403],
    [{ host: '0.0.0.0:8080' }, 403],
    [{ host: '' }, 403],
    [{ origin: 'http://[::1]:3000' }, 'admitted'],
    [{ origin: 'http://localhost.evil.example' }, 403],
    [{ via: '1.1 proxy' }, 403],
    [{ authorization: 'Bearer anything' }, 'admitted'],
  ])('%j from this machine: %s', (headers, verdict) => {
    expect(admitted([], headers as Record<string, string>, '127.0.0.1')).toBe(verdict)
  })
})

describe('with tokens', () => {
  test.each([
    [{ authorization: 'Bearer b' }, 'admitted'],
    [{ authorization: 'BEARER a' }, 'admitted'],
    [{ authorization: 'Bearer a', host: 'sidecar.example', origin: 'https://sidecar.example' }, 'admitted'],
    [{ authorization: 'Bearer a', host: 'sidecar.example', origin: 'https://other.example' }, 403],
    [{ authorization: 'Bearer ' }, 401],
    [{ authorization: 'a' }, 401],
    [{ authorization: 'Bearer ab' }, 401],
    [{ authorization: 'Bearer a b' }, 401],
    [{}, 401],
  ])('%j from anywhere: %s', (headers, verdict) => {
    for (const remote of ['127.0.0.1', '203.0.113.9', undefined]) {
      expect(admitted(['a', 'b'], headers as Record<string, string>, remote)).toBe(verdict)
    }
  })
})
