import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { ContextAnswer, ContextItem } from '#vector'
import { type AskDoor, askFor, doorPath } from './doors.ts'
import { itemLines, markedAnswer, markedItem, toolResult } from './marked.ts'
import { readOnly } from './readOnly.ts'
import { contextAnswer, hash, item, limit, tokens } from './schemas.ts'

/** Tools that ask the vector store. */
export function registerContextTools(server: McpServer, ask: AskDoor): void {
  server.registerTool(
    'search_context',
    {
      title: 'Search the chain context',
      description:
        'Searches what the sidecar keeps of the chain: transactions with their decisions and outcomes, patterns of calls, documents ' +
        'people added, memories of epochs and findings, and entities; kind:transaction and the like ask for one of them. ' +
        'The query is a question with any of: hashes, addresses (0x…), selectors (0x + 8 digits), to:0x…, from:0x…, block:N, ' +
        'words such as "failed", "transfer", "swap", "svm". Items come with citation, score and finality.',
      inputSchema: z.object({
        query: z.string().min(1).max(8192).describe('Such as: failed transfers to:0x…'),
        filter: z
          .string()
          .max(2048)
          .optional()
          .describe("SQL condition over the facts, such as: block_number > 100 AND outcome = 'failed'"),
        limit,
        tokens,
      }),
      outputSchema: contextAnswer,
      annotations: readOnly,
    },
    async ({ query, filter, limit, tokens }, { mcpReq }) => {
      const path = doorPath('/context', { query, filter, limit, tokens })
      const answer = markedAnswer(await askFor<ContextAnswer>(ask, path, mcpReq.signal))
      return toolResult(answer, itemLines(answer))
    },
  )
  server.registerTool(
    'similar_transactions',
    {
      title: 'Transactions like this one',
      description:
        'Rows like a transaction: the same call to the same contract first, then calls near it, with decisions and outcomes. ' +
        'Only envelopes and a sample of the other transactions are kept for this.',
      inputSchema: z.object({ hash, limit, tokens }),
      outputSchema: contextAnswer.extend({ of: item }),
      annotations: readOnly,
    },
    async ({ hash, limit, tokens }, { mcpReq }) => {
      const path = doorPath(`/similar/${hash.toLowerCase()}`, { limit, tokens })
      const found = await askFor<ContextAnswer & { of: ContextItem }>(ask, path, mcpReq.signal)
      const answer = { ...markedAnswer(found), of: markedItem(found.of) }
      return toolResult(answer, `Like [${answer.of.citation}]: ${itemLines(answer)}`)
    },
  )
}
