import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrange } from '../../../vector/query/arrange.ts'
import type { RankedList } from '../../../vector/query/found.ts'
import { type RankContext, rank } from '../../../vector/query/rank.ts'
import { type Rewriting, rewritings } from '../../../vector/query/readQuestion.ts'
import { heldOutQuestions, judgedQuestions } from '../../fixtures/retrieval/judgements.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/program/temporaryFolder.ts'
import { type Corpus, type Figures, gradeOf, judge, mean } from './judge.ts'
import { openJudged } from './judgedStore.ts'

type Way = NonNullable<Parameters<Awaited<ReturnType<typeof openJudged>>['ask']>[1]>
type Leg = RankedList['leg']
type Order = NonNullable<Way['order']>

const all: readonly Leg[] = ['exact', 'meant', 'vector', 'text', 'graph', 'newest']
const but = (...left: readonly Leg[]) => all.filter((leg) => !left.includes(leg))
const byRanks: Order = (lists, context) => rank(lists, context).toSorted((a, b) => b.fused - a.fused)
const withoutVariety: Order = (lists, context) => arrange(lists, context, 1)

/** Some of the lists, in some order, with some rewriting of the question. */
function way(legs: readonly Leg[], order: Order, use: readonly Rewriting[]): Way {
  const ofLegs = (lists: readonly RankedList[]) => lists.filter(({ leg }) => legs.includes(leg))
  return {
    order: (lists: readonly RankedList[], context: RankContext) => order(ofLegs(lists), context),
    rewritings: use,
  }
}
const whole = way(all, arrange, rewritings)

/** Each stage on top of those before it, and then the whole without each. */
const ways = {
  'vectors alone': way(['vector'], byRanks, []),
  'words alone': way(['text'], byRanks, []),
  'names and filters alone': way(['exact', 'newest'], byRanks, []),
  'these three, fused': way(but('graph'), byRanks, []),
  '+ graph': way(all, byRanks, []),
  '+ re-ranking': way(all, withoutVariety, []),
  '+ variety': way(all, arrange, []),
  '+ expansion': way(all, arrange, ['expansion']),
  '+ context_aware': way(all, arrange, ['expansion', 'context_aware']),
  '+ simplification: the whole': whole,
  'without vectors': way(but('vector'), arrange, rewritings),
  'without words': way(but('text'), arrange, rewritings),
  'without graph': way(but('graph'), arrange, rewritings),
  'without re-ranking': way(all, byRanks, rewritings),
  'without variety': way(all, withoutVariety, rewritings),
  'without expansion': way(all, arrange, ['context_aware', 'simplification']),
  'without context_aware': way(all, arrange, ['expansion', 'simplification']),
} as const satisfies Readonly<Record<string, Way>>
type Name = keyof typeof ways
const theWhole = '+ simplification: the whole' satisfies Name

describe('questions judged on recorded blocks', () => {
  const resources = new AsyncDisposableStack()
  let folder: TemporaryFolder
  let store: Awaited<ReturnType<typeof openJudged>>
  let corpus: Corpus
  const figures = new Map<Name, { readonly questions: Figures; readonly heldOut: Figures }>()

  beforeAll(async () => {
    folder = resources.use(await temporaryFolder())
    store = resources.use(await openJudged(folder.path))
    corpus = await store.corpus()
    for (const [name, way] of Object.entries(ways) as [Name, Way][]) {
      const of = async (questions: typeof judgedQuestions) => {
        const all: Figures[] = []
        for (const question of questions) all.push(judge(await store.ask(question, way), question, corpus))
        return mean(all)
      }
      figures.set(name, { questions: await of(judgedQuestions), heldOut: await of(heldOutQuestions) })
    }
    const line = (figures: Figures) =>
      Object.values(figures)
        .map((figure) => figure.toFixed(3))
        .join(' ')
    const table = [...figures].map(
      ([name, { questions, heldOut }]) => `${name.padEnd(28)} ${line(questions)}   ${line(heldOut)}`,
    )
    console.info(
      [
        `${judgedQuestions.length} questions, ${heldOutQuestions.length} held out: nDCG@10 recall@10 aspects@10`,
        ...table,
      ].join('\n'),
    )
  }, 300_000)
  afterAll(() => resources.disposeAsync())

  const of = (name: Name) => figures.get(name)!.questions

  test('every question has something relevant, and a perfect answer scores 1', () => {
    for (const question of [...judgedQuestions, ...heldOutQuestions]) {
      const best = judge(corpus.items.toSorted(byGrade(question, corpus)).slice(0, 10), question, corpus)
      expect(best, question.query).toMatchObject({ ndcg: 1, recall: 1 })
    }
  })

  test.each(['vectors alone', 'words alone', 'names and filters alone'] as const)(
    'fusion beats %s',
    (leg) => {
      expect(of('these three, fused').ndcg).toBeGreaterThan(of(leg).ndcg + 0.05)
      expect(of('these three, fused').recall).toBeGreaterThan(of(leg).recall + 0.05)
    },
  )

  test.each([
    'without vectors',
    'without words',
    'without graph',
    'without re-ranking',
    'without expansion',
    'without context_aware',
  ] as const)('each stage wins: %s it is worse', (without) => {
    expect(of(theWhole).ndcg).toBeGreaterThan(of(without).ndcg)
    expect(of(theWhole).recall).toBeGreaterThan(of(without).recall)
  })

  test('variety wins where it is meant to: more aspects of a question among the ten, for a hundredth of nDCG', () => {
    for (const set of ['questions', 'heldOut'] as const) {
      const [varied, plain] = [figures.get(theWhole)![set], figures.get('without variety')![set]]
      expect(varied.aspects, set).toBeGreaterThan(plain.aspects + 0.04)
      expect(varied.ndcg, set).toBeGreaterThan(plain.ndcg - 0.015)
    }
  })

  test('simplification wins, and there is no other rewriting', () => {
    expect(of(theWhole).ndcg).toBeGreaterThan(of('+ context_aware').ndcg)
    expect(rewritings).toEqual(['expansion', 'context_aware', 'simplification'])
  })

  test('on questions it was not made with it holds', () => {
    const { heldOut } = figures.get(theWhole)!
    expect(heldOut.ndcg).toBeGreaterThan(0.7)
    for (const leg of ['vectors alone', 'words alone', 'names and filters alone'] as const)
      expect(heldOut.ndcg, leg).toBeGreaterThan(figures.get(leg)!.heldOut.ndcg + 0.05)
  })
})

function byGrade(question: (typeof judgedQuestions)[number], { rows }: Corpus) {
  return (a: Corpus['items'][number], b: Corpus['items'][number]) =>
    gradeOf(b, rows, question.relevant) - gradeOf(a, rows, question.relevant)
}
