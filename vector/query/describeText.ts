import { textColumns } from '../rows/textRows.ts'
import { type DescribeContext, type Description, fact, finalityAt, type StoredRow } from './describeRow.ts'
import { escapeText } from './escapeText.ts'

/** Characters of a text that an item shows: a part of a document has fewer. */
const longest = 1_200

/** A part of a document, or a memory, as an item. Text of others is escaped and between « and ». */
export function describeText(
  table: 'documents' | 'memories',
  row: StoredRow,
  { finalized }: DescribeContext,
): Description {
  const facts: Record<string, string | number | boolean> = {}
  for (const { name } of textColumns[table])
    if (name !== 'text' && name !== 'words') facts[name] = fact(name, row[name]!)
  if (table === 'memories') {
    const { name, memoryKind, fromBlock, toBlock } = facts
    const blocks = fromBlock === toBlock ? `block ${toBlock}` : `blocks ${fromBlock} to ${toBlock}`
    const isFinding = memoryKind === 'finding'
    return {
      id: String(row.id),
      kind: 'memory',
      citation: `memory ${row.id} ${blocks}`,
      text: isFinding
        ? `${name} in block ${toBlock}, risk ${facts.risk}: ${escapeText(String(row.text), longest)}`
        : escapeText(String(row.text), longest),
      finality: finalityAt(row.toBlock as bigint, finalized),
      asOf: String(row.toBlock),
      // Of our own words and of digits; but the digits are others', and a finding may quote.
      untrusted: isFinding,
      provenance: { source: isFinding ? 'finding' : 'consolidation', embedder: null },
      facts,
    }
  }
  const [, ...text] = String(row.text).split('\n')
  return {
    id: String(row.id),
    kind: 'document',
    citation: `document ${facts.documentId} part ${Number(facts.part) + 1} of ${facts.parts}`,
    text: `${facts.documentKind} «${facts.title}»${facts.contract === '' ? '' : ` of ${facts.contract}`}: «${escapeText(text.join('\n'), longest)}»`,
    finality: 'finalized',
    asOf: facts.addedAt === -1 ? null : String(facts.addedAt),
    untrusted: true,
    provenance: { source: 'document', embedder: null },
    facts,
  }
}
