import { createRequire } from 'node:module'
import { McpServer } from '@modelcontextprotocol/server'
import { untrustedNotice } from '../explain/markUntrusted.ts'
import { registerContextTools } from './contextTools.ts'
import type { AskDoor } from './doors.ts'
import { registerFindingTools } from './findingTools.ts'
import { registerGraphTools } from './graphTools.ts'
import { registerStateTools } from './stateTools.ts'
import { registerTransactionTools } from './transactionTools.ts'

const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string }

/** The tools of a sidecar, for one connection or one request. All of them only read, by asking the sidecar's doors. */
export function createMcpServer(ask: AskDoor): McpServer {
  const server = new McpServer(
    { name: 'monmouth', version, title: 'Monmouth: Ethereum blocks on a Solana VM' },
    {
      instructions:
        'Tools to look into a sidecar that follows an Ethereum chain and runs a Solana VM in step with it. Cite what you use by ' +
        `its citation. What is not finalized can still be undone by a reorg. ${untrustedNotice}`,
    },
  )
  registerContextTools(server, ask)
  registerTransactionTools(server, ask)
  registerStateTools(server, ask)
  registerFindingTools(server, ask)
  registerGraphTools(server, ask)
  return server
}
