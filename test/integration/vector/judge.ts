import type { ContextItem, TransactionRow } from '#vector'
import type { JudgedQuestion, Rule } from '../../fixtures/retrieval/judgements.ts'

/** Key of an item: one for a transaction whatever its row's id. */
export function itemKey({ kind, id, facts }: Pick<ContextItem, 'kind' | 'id' | 'facts'>): string {
  return kind === 'transaction' ? `transaction ${facts.transactionHash}` : `${kind} ${id}`
}

/** How relevant an item is: 0 to 2, the highest of what the rules say. */
export function gradeOf(
  item: ContextItem,
  rows: ReadonlyMap<string, TransactionRow>,
  rules: readonly Rule[],
): number {
  return Math.max(0, ...rules.map((rule) => (fits(item, rows, rule) ? rule.grade : 0)))
}

function fits(item: ContextItem, rows: ReadonlyMap<string, TransactionRow>, rule: Rule): boolean {
  const { facts } = item
  if ('transactions' in rule) {
    const row = item.kind === 'transaction' ? rows.get(String(facts.transactionHash)) : undefined
    if (!row) return false
    const { to, from, selectors, failed, blocks, creation } = rule.transactions
    return (
      (to?.includes(row.to) ?? true) &&
      (from?.includes(row.from) ?? true) &&
      (selectors?.includes(row.selector) ?? true) &&
      (!failed || row.outcome === 'failed') &&
      (blocks?.includes(Number(row.blockNumber)) ?? true) &&
      (!creation || row.to === '')
    )
  }
  if ('patterns' in rule) {
    const { to, selectors, failed } = rule.patterns
    return (
      item.kind === 'pattern' &&
      (to?.includes(String(facts.contract)) ?? true) &&
      (selectors?.includes(String(facts.selector)) ?? true) &&
      (!failed || Number(facts.evmFailed) > 0)
    )
  }
  if ('document' in rule) {
    const isPart = rule.part === undefined || item.text.includes(rule.part)
    return item.kind === 'document' && facts.title === rule.document && isPart
  }
  if ('entity' in rule) return item.kind === 'entity' && item.id === rule.entity
  const { block, subject, failed } = rule
  return (
    item.kind === 'memory' &&
    facts.memoryKind === rule.memory &&
    (block === undefined || (Number(facts.fromBlock) <= block && block <= Number(facts.toBlock))) &&
    (subject === undefined || String(facts.subjects).includes(subject)) &&
    (!failed || / [1-9]\d* failed/.test(item.text))
  )
}

/** Everything that could be answered, to know what a perfect answer would hold. */
export type Corpus = {
  readonly items: readonly ContextItem[]
  readonly rows: ReadonlyMap<string, TransactionRow>
}

export type Figures = { readonly ndcg: number; readonly recall: number; readonly aspects: number }

const places = 10

/**
 * nDCG@10 with gains of 2^grade - 1; recall@10: of ten places, or of all that is relevant where that is less; and aspects: the share
 * of the rules of which something is among the ten, which variety is for.
 */
export function judge(answer: readonly ContextItem[], { relevant }: JudgedQuestion, corpus: Corpus): Figures {
  const ideal = corpus.items
    .map((item) => gradeOf(item, corpus.rows, relevant))
    .filter((grade) => grade > 0)
    .sort((a, b) => b - a)
  const grades = answer.slice(0, places).map((item) => gradeOf(item, corpus.rows, relevant))
  const found = grades.filter((grade) => grade > 0).length
  return {
    ndcg: gain(grades) / gain(ideal.slice(0, places)),
    recall: found / Math.min(places, ideal.length),
    aspects:
      relevant.filter((rule) =>
        answer.slice(0, places).some((item) => gradeOf(item, corpus.rows, [rule]) > 0),
      ).length / relevant.length,
  }
}

function gain(grades: readonly number[]): number {
  return grades.reduce((sum, grade, place) => sum + (2 ** grade - 1) / Math.log2(place + 2), 0)
}

export function mean(figures: readonly Figures[]): Figures {
  const of = (name: keyof Figures) => figures.reduce((sum, each) => sum + each[name], 0) / figures.length
  return { ndcg: of('ndcg'), recall: of('recall'), aspects: of('aspects') }
}
