import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { FlagValues } from '#config'
import { createMcpServer } from '../mcp/createMcpServer.ts'
import type { AskDoor } from '../mcp/doors.ts'
import { askSidecar } from './askSidecar.ts'
import { type CommandContext, prepare } from './commandContext.ts'
import { exitCodes } from './exitCodes.ts'

/**
 * Serves the tools of a running sidecar over standard input and output, until the client closes it. The sidecar need not
 * run yet: what is asked meanwhile is answered with an error. Standard output holds the protocol and nothing else.
 */
export async function mcp(flags: FlagValues, context: CommandContext): Promise<number> {
  const { config, logger } = await prepare('mcp', flags, context)
  const ask: AskDoor = (path, signal) => askSidecar(config, path, signal)
  const ended = new Promise<void>((resolve) => {
    context.signal.addEventListener('abort', () => resolve(), { once: true })
    process.stdin.once('end', resolve)
    process.stdin.once('close', resolve)
  })
  const handle = serveStdio(() => createMcpServer(ask), {
    onerror: (error) => logger.warn({ err: error }, 'mcp'),
  })
  await ended
  await handle.close()
  // It would keep the process: the client may hold its end open.
  process.stdin.destroy()
  return exitCodes.ok
}
