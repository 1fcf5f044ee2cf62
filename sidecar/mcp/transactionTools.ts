import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Explanation } from '../explain/explainDecision.ts'
import { escapeStrings, untrustedNotice } from '../explain/markUntrusted.ts'
import { type AskDoor, askFor } from './doors.ts'
import { markedItem, toolResult } from './marked.ts'
import { readOnly } from './readOnly.ts'
import { blockRef, decision, hash, item, outcome, placement } from './schemas.ts'

const transaction = z.object({
  transactionHash: z.string(),
  block: blockRef,
  transactionIndex: z.number(),
  state: z.string().describe('head, finalized, or undone by a reorg'),
  decision,
  outcomes: z.array(outcome).describe('One for each item that was to run on the SVM'),
  history: z.array(placement).describe('Every block that held it; the first is the one told of here'),
  row: item.nullable().describe('What is kept of it for retrieval, with its EVM outcome'),
  warnings: z.array(z.string()),
})

const explained = z.object({
  transactionHash: z.string(),
  state: z.string(),
  decision,
  parts: z.array(z.object({ name: z.string(), value: z.number(), words: z.string() })),
  facts: z.array(z.object({ number: z.number(), text: z.string(), citation: z.string() })),
  warnings: z.array(z.string()),
})

/** Tools about one transaction. */
export function registerTransactionTools(server: McpServer, ask: AskDoor): void {
  const explain = async (hash: string, signal: AbortSignal) => {
    const found = await askFor<Explanation>(ask, `/explain/${hash.toLowerCase()}`, signal)
    return { found, row: found.row === null ? null : markedItem(found.row) }
  }

  server.registerTool(
    'get_transaction',
    {
      title: 'A transaction: decision and outcome',
      description:
        'The decision on a transaction (SVM, EVM or skip), what became of it, its block, finality, and every block that held it.',
      inputSchema: z.object({ hash }),
      outputSchema: transaction,
      annotations: readOnly,
    },
    async ({ hash }, { mcpReq }) => {
      const { found, row } = await explain(hash, mcpReq.signal)
      const { transactionHash, block, transactionIndex, state, decision, history, warnings } = found
      const outcomes = found.outcomes.map(({ words: _, ...outcome }) => outcome)
      const answer = {
        ...escapeStrings({
          transactionHash,
          block,
          transactionIndex,
          state,
          decision,
          outcomes,
          history,
          warnings,
        }),
        row,
      }
      const lines = [
        `${transactionHash} in block ${block.number}, ${state}: ${decision.route} by the rule "${decision.rule}", ` +
          `confidence ${decision.confidence.toFixed(3)}.`,
        ...answer.outcomes.map(
          ({ item, status, reason }) => `SVM item ${item}: ${status}${reason ? ` (${reason})` : ''}.`,
        ),
        ...answer.history.slice(1).map(({ block }) => `Also in block ${block.number}, undone by a reorg.`),
        ...(row === null ? [] : [`${untrustedNotice}`, `[${row.citation}] ${row.data.text}`]),
      ]
      return toolResult(answer, lines.join('\n'))
    },
  )
  server.registerTool(
    'explain_decision',
    {
      title: 'Why a transaction was decided as it was',
      description:
        'The facts behind a decision, numbered and cited: rule, parts of the score in words, context rows, outcomes, block, ' +
        'finality, reorgs. Read from what is stored; no model has a part in it.',
      inputSchema: z.object({ hash }),
      outputSchema: explained,
      annotations: readOnly,
    },
    async ({ hash }, { mcpReq }) => {
      const { found } = await explain(hash, mcpReq.signal)
      const { transactionHash, state, decision, parts, facts, warnings } = found
      const answer = {
        ...escapeStrings({ transactionHash, state, decision, parts, warnings }),
        // Marked already where they hold what strangers chose.
        facts,
      }
      const lines = facts.map(({ number, text, citation }) => `[${number}] ${text} (${citation})`)
      return toolResult(answer, [untrustedNotice, ...lines].join('\n'))
    },
  )
}
