import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { EdgeKind, NeighbourAnswer } from '#vector'
import { escapeStrings, markUntrusted, untrustedNotice } from '../explain/markUntrusted.ts'
import { type AskDoor, askFor, doorPath } from './doors.ts'
import { toolResult } from './marked.ts'
import { readOnly } from './readOnly.ts'

/** Named again here, as the store that knows them is not loaded to speak the protocol. */
const edgeKinds = ['calls', 'transfers', 'deploys', 'owns', 'similar'] as const satisfies readonly EdgeKind[]

const neighbourhood = z.object({
  id: z.string(),
  asOf: z.object({ number: z.string(), hash: z.string().optional() }).nullable(),
  nodes: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      hop: z.number().describe('Edges from the one asked for'),
      name: z
        .object({ untrusted: z.literal(true), text: z.string() })
        .nullable()
        .describe('As documents call it'),
    }),
  ),
  edges: z.array(
    z.looseObject({
      kind: z.string(),
      source: z.string(),
      target: z.string(),
      count: z.number(),
      failed: z.number(),
      similarity: z.number().optional().describe('Cosine, of edges of kind similar'),
      value: z.string().describe('wei moved by what did not fail'),
      finality: z.string(),
      citation: z.string(),
    }),
  ),
  truncated: z.boolean(),
  warnings: z.array(z.string()),
})

/** Tools that ask the graph of accounts, contracts, tokens, programs and patterns. */
export function registerGraphTools(server: McpServer, ask: AskDoor): void {
  server.registerTool(
    'get_neighbours',
    {
      title: 'What is around an address',
      description:
        'Who calls, pays, deploys, owns or resembles what, around an address, a Solana key in hex, or the id of a pattern: edges with ' +
        'counts, failures, finality and the newest transaction as citation.',
      inputSchema: z.object({
        id: z.string().regex(/^(0x[0-9a-fA-F]{40}|0x[0-9a-fA-F]{64}|[0-9a-fA-F]{50})$/),
        hops: z.number().int().min(1).max(3).optional().describe('Edges away, default 1'),
        fanout: z.number().int().min(1).max(32).optional().describe('Edges followed from each, default 8'),
        kinds: z.array(z.enum(edgeKinds)).min(1).optional(),
      }),
      outputSchema: neighbourhood,
      annotations: readOnly,
    },
    async ({ id, hops, fanout, kinds }, { mcpReq }) => {
      const path = doorPath(`/neighbours/${id.toLowerCase()}`, { hops, fanout, kinds: kinds?.join(',') })
      const { nodes, edges, asOf, ...rest } = await askFor<NeighbourAnswer>(ask, path, mcpReq.signal)
      const answer = {
        ...escapeStrings({ ...rest, edges }),
        asOf: asOf ?? null,
        nodes: nodes.map(({ name, ...node }) => ({
          ...node,
          name: name === undefined ? null : { untrusted: true as const, text: markUntrusted(name) },
        })),
      }
      const lines = answer.edges.map(
        ({ kind, source, target, count, failed, similarity, citation }) =>
          `${source} ${kind} ${target}, ${similarity === undefined ? `${count} times` : `${similarity.toFixed(2)} alike`}${failed > 0 ? `, ${failed} failed` : ''} [${citation}]`,
      )
      const names = answer.nodes.flatMap(({ id, name }) =>
        name === null ? [] : [`${id} is called ${name.text}`],
      )
      const head = `${answer.nodes.length} entities and ${lines.length} edges${answer.truncated ? ', not all there are' : ''}.`
      return toolResult(
        answer,
        [head, ...lines, ...(names.length > 0 ? [untrustedNotice] : []), ...names].join('\n'),
      )
    },
  )
}
