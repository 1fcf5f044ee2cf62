import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { escapeStrings } from '../explain/markUntrusted.ts'
import type { Advice } from '../findings/advice/createAdvice.ts'
import type { StoredFinding } from '../findings/readFindings.ts'
import { findingKinds } from '../findings/types.ts'
import { type AskDoor, askFor, doorPath } from './doors.ts'
import { toolResult } from './marked.ts'
import { readOnly } from './readOnly.ts'
import { blockRef, limit } from './schemas.ts'

const findings = z.object({
  findings: z.array(
    z.object({
      kind: z.string(),
      block: blockRef,
      impact: z.string().describe('low, medium, high or critical'),
      risk: z.number().describe('0 to 100'),
      summary: z.string(),
      rule: z.looseObject({ name: z.string(), version: z.number() }).describe('What found it'),
      recommendation: z.looseObject({ action: z.string(), text: z.string() }),
      transactions: z.array(z.looseObject({ index: z.number(), hash: z.string() })),
      evidence: z
        .looseObject({})
        .describe('As logs tell it; a log is what a contract says, which may be untrue'),
    }),
  ),
})

const wei = z.string().describe('wei a unit of gas')

const advice = z.object({
  block: blockRef.describe('The newest block it is from'),
  blocks: z.number().describe('How many it looks back on'),
  congestion: z.looseObject({
    impact: z.string().describe('low, medium, high or critical'),
    risk: z.number().describe('0 to 100'),
    fullness: z
      .object({ last: z.number(), recent: z.number(), window: z.number() })
      .describe('Of the gas limit, 0 to 1'),
  }),
  baseFee: z
    .object({
      now: wei,
      forecast: z.array(z.object({ blocks: z.number(), low: wei, likely: wei, high: wei })),
    })
    .nullable(),
  priorityFee: z
    .looseObject({ p50: wei })
    .nullable()
    .describe('What was paid above the base fee, by percentile'),
  priorityCeiling: z.looseObject({ p50: wei }).nullable().describe('What others would have paid at most'),
  suggestion: z.object({ maxPriorityFeePerGas: wei, maxFeePerGas: wei }).nullable(),
  summary: z.string(),
  recommendations: z.array(z.looseObject({ action: z.string(), text: z.string() })),
})

/** What was found in blocks after the fact: MEV, anomalies, spam; and what fees and congestion advise. */
export function registerFindingTools(server: McpServer, ask: AskDoor): void {
  server.registerTool(
    'list_findings',
    {
      title: 'Findings',
      description:
        'What was noticed in recent blocks: sandwich-like trades, arbitrage, liquidations, spam, storms of failing calls, poisoned ' +
        'addresses. They are alerts and context, and never enter a decision.',
      inputSchema: z.object({ kind: z.enum(findingKinds).optional(), limit }),
      outputSchema: findings,
      annotations: readOnly,
    },
    async ({ kind, limit }, { mcpReq }) => {
      const path = doorPath('/findings', { kind, limit })
      const found = escapeStrings(await askFor<readonly StoredFinding[]>(ask, path, mcpReq.signal))
      const lines = found.map(
        ({ kind, block, impact, risk, summary }, i) =>
          `${i + 1}. block ${block.number}, ${kind}, ${impact} (risk ${risk}): ${summary}`,
      )
      return toolResult({ findings: found }, [`${found.length} found.`, ...lines].join('\n'))
    },
  )

  server.registerTool(
    'get_fee_advice',
    {
      title: 'Fees and congestion',
      description:
        'How full the last blocks were, where the base fee can go in the next ones, what others pay above it, and the fees to set. ' +
        'Counted from the last durable blocks.',
      inputSchema: z.object({}),
      outputSchema: advice,
      annotations: readOnly,
    },
    async (_, { mcpReq }) => {
      const found = escapeStrings(await askFor<Advice>(ask, '/advice', mcpReq.signal))
      return toolResult(found, [found.summary, ...found.recommendations.map(({ text }) => text)].join('\n'))
    },
  )
}
