import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A free port below those that systems give away by themselves (32768 and up on Linux, 49152 elsewhere). Nobody gets it
 * in between, so a server may end and come back at it, or nobody listen there at all.
 */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      continue
    }
    server.close()
    await once(server, 'close')
    return port
  }
}
