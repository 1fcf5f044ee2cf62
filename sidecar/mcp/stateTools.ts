import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { escapeStrings } from '../explain/markUntrusted.ts'
import type { Status } from '../status.ts'
import { type AskDoor, askFor, doorPath } from './doors.ts'
import { toolResult } from './marked.ts'
import { readOnly } from './readOnly.ts'
import { blockRef, limit } from './schemas.ts'

const account = z.object({
  pubkey: z.string(),
  lamports: z.string(),
  owner: z.string(),
  executable: z.boolean(),
  dataBytes: z.number(),
  dataBase64: z.string().describe('The first 1024 bytes; programs and their users choose them'),
  block: blockRef.describe('As of this block'),
})

const stats = z.object({
  healthy: z.boolean(),
  problems: z.array(z.looseObject({ code: z.string(), message: z.string(), fatal: z.boolean() })),
  ready: z.boolean(),
  why: z.string().nullable().describe('What is missing when it is not ready'),
  status: z.looseObject({
    blocks: z.number(),
    transactions: z.number(),
    head: blockRef.nullable(),
    durable: blockRef.nullable(),
    finalized: blockRef.nullable(),
    reorgs: z.number(),
    blocksReverted: z.number(),
  }),
})

const reorgs = z.object({
  reorgs: z.number().describe('Since the sidecar started'),
  blocksReverted: z.number().describe('Since the sidecar started'),
  undone: z
    .array(z.object({ block: blockRef, replacedBy: blockRef.nullable() }))
    .describe(
      'Blocks that left the canonical chain and are still kept, newest first, with what is at their height now',
    ),
})

/** Account data shown at most: a model has no use for a program's code. */
const SHOWN_BYTES = 1024

/** Tools about the state that is kept in step with the chain. */
export function registerStateTools(server: McpServer, ask: AskDoor): void {
  server.registerTool(
    'get_account',
    {
      title: 'An SVM account',
      description: 'Lamports, owner and data of a Solana account, as of the newest durable block.',
      inputSchema: z.object({
        pubkey: z
          .string()
          .regex(/^[1-9A-HJ-NP-Za-km-z]{32,44}$/)
          .describe('Public key in base58'),
      }),
      outputSchema: account,
      annotations: readOnly,
    },
    async ({ pubkey }, { mcpReq }) => {
      type Answer = Omit<z.infer<typeof account>, 'dataBytes'>
      const found = await askFor<Answer>(ask, `/accounts/${pubkey}`, mcpReq.signal)
      const data = Buffer.from(found.dataBase64, 'base64')
      const answer = {
        ...found,
        dataBytes: data.length,
        dataBase64: data.subarray(0, SHOWN_BYTES).toString('base64'),
      }
      const { lamports, owner, block } = answer
      return toolResult(
        answer,
        `${pubkey}: ${lamports} lamports, owner ${owner}, ${data.length} bytes of data, as of block ${block.number}.`,
      )
    },
  )
  server.registerTool(
    'get_stats',
    {
      title: 'The state of the sidecar',
      description:
        'Height, finality, totals of decisions and outcomes, reorgs, speed; whether it is healthy and ready.',
      inputSchema: z.object({}),
      outputSchema: stats,
      annotations: readOnly,
    },
    async (_, { mcpReq }) => {
      const answers = await Promise.all([
        askFor<Status>(ask, '/status', mcpReq.signal),
        askFor<Pick<z.infer<typeof stats>, 'healthy' | 'problems'>>(ask, '/health', mcpReq.signal, [503]),
        askFor<Pick<z.infer<typeof stats>, 'ready' | 'why'>>(ask, '/ready', mcpReq.signal, [503]),
      ])
      // A problem may quote what a stranger sent.
      const [status, health, readiness] = escapeStrings(answers)
      const { routes, svm } = status
      return toolResult(
        { ...health, ...readiness, status },
        [
          `${health.healthy ? 'Healthy' : 'NOT healthy'}, ${readiness.ready ? 'ready' : `not ready: ${readiness.why}`}.`,
          `Durable up to block ${status.durable?.number ?? 'none'}, finalized up to ${status.finalized?.number ?? 'none'}.`,
          `${status.blocks} blocks, ${status.transactions} transactions: ${routes.executeOnSvm} for the SVM, ` +
            `${routes.executeOnEvm} left to the EVM, ${routes.skip} skipped.`,
          `SVM: ${svm.executed} executed, ${svm.failed} failed, ${svm.rejected} rejected, ${svm.deposits} deposits, ${svm.accounts} accounts.`,
          `${status.reorgs} reorgs undid ${status.blocksReverted} blocks since it started.`,
        ].join('\n'),
      )
    },
  )
  server.registerTool(
    'list_reorgs',
    {
      title: 'Blocks undone by reorgs',
      description:
        'Blocks that left the canonical chain lately, newest first, with the block at their height now.',
      inputSchema: z.object({ limit }),
      outputSchema: reorgs,
      annotations: readOnly,
    },
    async ({ limit }, { mcpReq }) => {
      const answer = await askFor<z.infer<typeof reorgs>>(ask, doorPath('/reorgs', { limit }), mcpReq.signal)
      const lines = answer.undone.map(
        ({ block, replacedBy }) =>
          `block ${block.number} ${block.hash}, now ${replacedBy?.hash ?? 'no block at that height'}`,
      )
      return toolResult(
        answer,
        [
          `${answer.reorgs} reorgs undid ${answer.blocksReverted} blocks since the sidecar started; ${lines.length} undone blocks kept:`,
          ...lines,
        ].join('\n'),
      )
    },
  )
}
