import { request } from 'node:http'
import pino from 'pino'
import { describe, expect, test } from 'vitest'
import type { DoorSettings } from '../../../sidecar/api/app.ts'
import { startHttpServer } from '../../../sidecar/api/httpServer.ts'
import type { SidecarView } from '../../../sidecar/api/view.ts'

const view = { status: () => ({ blocks: 7 }), problems: () => [] } as unknown as SidecarView

/** The status that a real server gives to a request by this name. */
async function statusOf(
  listen: string,
  host: string,
  path = '/status',
  method = 'GET',
  settings?: DoorSettings,
): Promise<number> {
  const logger = pino({ level: 'silent' })
  const server = await startHttpServer(view, { host: listen, port: 0 }, { logger }, settings)
  try {
    return await new Promise((resolve, reject) => {
      const { port } = new URL(server.url)
      const sending = request({ host: '127.0.0.1', port, path, method, headers: { host } }, (response) => {
        response.resume()
        resolve(response.statusCode!)
      })
      sending.on('error', reject)
      sending.end()
    })
  } finally {
    await server.close()
  }
}

describe('the names a sidecar answers to', () => {
  test.each([
    ['localhost:8080', 200],
    ['LOCALHOST', 200],
    ['127.0.0.1:8080', 200],
    ['127.8.9.1', 200],
    ['[::1]:8080', 200],
    ['rebound.example:8080', 403],
    ['rebound.example', 403],
    ['localhost.rebound.example', 403],
    ['127.0.0.1.rebound.example', 403],
    ['127.0.0.1@rebound.example', 400],
    ['192.168.0.7:8080', 403],
    ['0.0.0.0:8080', 403],
  ])('listening on this machine alone, asked as %s: %i', async (host, status) => {
    expect(await statusOf('127.0.0.1', host)).toBe(status)
  })

  test('whatever is asked for, to read or to change', async () => {
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/ui/'],
      ['GET', '/events'],
      ['GET', '/metrics'],
      ['POST', '/context'],
      ['POST', '/documents'],
      ['DELETE', '/documents/1'],
    ] as const)
      expect(await statusOf('127.0.0.1', 'rebound.example', path, method), `${method} ${path}`).toBe(403)
  })

  test('but for /mcp with tokens, which is asked through a proxy by its public name', async () => {
    const guarded = { mcp: { tokens: ['token'] }, chat: undefined }
    expect(await statusOf('127.0.0.1', 'sidecar.example', '/mcp', 'POST', guarded)).toBe(401)
    expect(await statusOf('127.0.0.1', 'sidecar.example', '/mcp/', 'POST', guarded)).toBe(403)
    expect(await statusOf('127.0.0.1', 'rebound.example', '/mcp', 'POST')).toBe(403)
  })

  test('listening for others too, it is asked by whatever name they have for it', async () => {
    expect(await statusOf('0.0.0.0', 'sidecar:8080')).toBe(200)
  })
})
