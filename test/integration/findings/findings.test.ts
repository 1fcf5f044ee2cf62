import { expect, test } from 'vitest'
import { buildBlock, type TransactionFields } from '../../../harness/feed/buildBlock.ts'
import type { Advice } from '../../../sidecar/findings/advice/createAdvice.ts'
import type { StoredFinding } from '../../../sidecar/findings/readFindings.ts'
import { type ChainLine, collectEvents } from '../../support/program/collectEvents.ts'
import { untilDurable } from '../../support/program/programAnswers.ts'
import { type Program, startProgram } from '../../support/program/startProgram.ts'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'
import { account, swapV2 } from '../../unit/findings/events.ts'
import { type ScriptedServer, startScriptedServer } from '../exex/startScriptedServer.ts'

type FindingLine = { readonly type: string; readonly kind: string; readonly transactions: readonly string[] }

const [weth, token, pool] = [account('weth'), account('token'), account('pool')]

function trade(from: string, way: 'buy' | 'sell', amountIn: bigint, amountOut: bigint): TransactionFields {
  const who = account(from)
  const sides = way === 'buy' ? { tokenIn: weth, tokenOut: token } : { tokenIn: token, tokenOut: weth }
  return { from: who, logs: swapV2({ pool, ...sides, amountIn, amountOut, payer: who, recipient: who }) }
}
const sandwich = [
  trade('bot', 'buy', 1_000n, 500n),
  trade('victim', 'buy', 9_000n, 4_000n),
  trade('bot', 'sell', 500n, 1_100n),
]
const call: TransactionFields = { from: account('spammer'), to: account('target'), input: '0x1249c58b' }
const spam = Array.from({ length: 12 }, () => call)

/** The next block of a feed, built on its head, or so much lower. */
function next({ feed }: ScriptedServer, transactions: readonly TransactionFields[], depth = 0, salt = '') {
  const parent = feed.canonical[feed.canonical.length - 1 - depth]!
  return [buildBlock({ parent, transactions, timestamp: 1_700_000_000n + 12n * parent.number, salt })]
}

const attach = (server: ScriptedServer, folder: string, ...set: readonly string[]) =>
  startProgram([
    ...['attach', server.url, '--data-dir', folder, '--http', '127.0.0.1:0', '--json'],
    ...set.flatMap((each) => ['--set', each]),
  ])

async function findingsOf(program: Program, query = ''): Promise<readonly StoredFinding[]> {
  return (await program.get(`/findings${query}`)).body as StoredFinding[]
}
const summaryOf = (findings: readonly StoredFinding[]) =>
  findings.map(({ kind, block }) => [kind, block.number])

test('findings come over the wire, are told, follow a reorg, and outlive a kill', async () => {
  const server = await startScriptedServer()
  const { feed } = server
  await using folder = await temporaryFolder()
  feed.commit(next(server, [{}]))
  feed.commit(next(server, sandwich))
  let before: readonly StoredFinding[]
  {
    await using program = await attach(server, folder.path)
    await untilDurable(program, feed.head)
    expect(await findingsOf(program)).toMatchObject([
      {
        kind: 'sandwich-like',
        block: { number: 2, hash: feed.head.hash },
        evidence: { party: account('bot'), parts: [{ pool, gain: '100' }] },
      },
    ])

    await using events = await collectEvents(program)
    feed.commit(next(server, spam))
    await untilDurable(program, feed.head)
    const told = (line: ChainLine) => (line as unknown as FindingLine).type === 'finding'
    await events.until((line) => line.type === 'durable' && line.number === 3)
    const lines = events.lines()
    expect(lines.filter(told)).toMatchObject([
      { type: 'finding', number: 3, hash: feed.head.hash, kind: 'spam', impact: 'low', risk: 18 },
    ])
    expect((lines.find(told) as unknown as FindingLine).transactions).toHaveLength(12)
    expect(lines.findIndex(told), 'after its block').toBe(
      lines.findIndex(({ type }) => type === 'applied') + 1,
    )
    expect(summaryOf(await findingsOf(program))).toEqual([
      ['spam', 3],
      ['sandwich-like', 2],
    ])
    expect(summaryOf(await findingsOf(program, '?limit=1'))).toEqual([['spam', 3]])
    expect(summaryOf(await findingsOf(program, '?kind=sandwich-like'))).toEqual([['sandwich-like', 2]])

    // The spam goes with its block; its sibling has another sandwich.
    feed.reorg(1, next(server, [{}, ...sandwich], 1, 'sibling'))
    await untilDurable(program, feed.head)
    before = await findingsOf(program)
    expect(summaryOf(before)).toEqual([
      ['sandwich-like', 3],
      ['sandwich-like', 2],
    ])
    expect(before[0]!.block.hash).toBe(feed.head.hash)
    const metrics = String((await program.get('/metrics')).body)
    expect(metrics).toContain('monmouth_findings_total{kind="sandwich-like"} 2')
    expect(metrics, 'counters are gross').toContain('monmouth_findings_total{kind="spam"} 1')
    await program.stop('SIGKILL')
  }
  {
    await using program = await attach(server, folder.path)
    expect(await findingsOf(program)).toEqual(before)
    // What is remembered outlived it too: six calls and six more are twelve.
    feed.commit(next(server, spam.slice(0, 6)))
    feed.commit(next(server, spam.slice(0, 6)))
    await untilDurable(program, feed.head)
    expect(await findingsOf(program, '?limit=1')).toMatchObject([
      { kind: 'spam', block: { number: 5 }, evidence: { inBlock: 6, inWindow: 12, windowBlocks: 5 } },
    ])
    const advice = (await program.get('/advice')).body as Advice
    expect(advice).toMatchObject({
      block: { number: 5, hash: feed.head.hash },
      blocks: 5,
      baseFee: { now: '1000000000' },
    })
    // Remembered as context, found by its words.
    const context = await program.until('/context?query=sandwich-like', ({ body }) =>
      (body as { items: { kind: string }[] }).items.some(({ kind }) => kind === 'memory'),
    )
    const memory = (context.body as { items: { kind: string; text: string }[] }).items.find(
      ({ kind }) => kind === 'memory',
    )
    expect(memory!.text).toContain(account('bot'))
  }
  await server.close()
})

test('a server without logs: what needs none is found, and it is said', async () => {
  const server = await startScriptedServer({ feedOptions: { hasLogs: false } })
  await using folder = await temporaryFolder()
  server.feed.commit(next(server, spam))
  await using program = await attach(server, folder.path)
  await untilDurable(program, server.feed.head)
  expect(summaryOf(await findingsOf(program))).toEqual([['spam', 1]])
  expect(program.stderr()).toContain('the server has no logs')
  await server.close()
})

test('switched off they cost nothing and say so; on again they begin anew', async () => {
  const server = await startScriptedServer()
  await using folder = await temporaryFolder()
  server.feed.commit(next(server, sandwich))
  {
    await using program = await attach(server, folder.path, 'findings.enabled=false')
    await untilDurable(program, server.feed.head)
    for (const door of ['/findings', '/advice']) {
      expect(await program.get(door)).toMatchObject({
        status: 404,
        body: { error: { code: 'FINDINGS_OFF' } },
      })
    }
  }
  {
    await using program = await attach(server, folder.path)
    expect(await program.get('/advice')).toMatchObject({
      status: 404,
      body: { error: { code: 'NO_BLOCKS' } },
    })
    server.feed.commit(next(server, sandwich))
    await untilDurable(program, server.feed.head)
    expect(summaryOf(await findingsOf(program))).toEqual([['sandwich-like', 2]])
    expect((await program.get('/advice')).body).toMatchObject({ blocks: 1 })
    for (const [query, code] of [
      ['?limit=0', 'BAD_LIMIT'],
      ['?limit=1001', 'BAD_LIMIT'],
      ['?limit=x', 'BAD_LIMIT'],
      ['?kind=theft', 'BAD_KIND'],
    ]) {
      expect(await program.get(`/findings${query}`)).toMatchObject({ status: 400, body: { error: { code } } })
    }
  }
  await server.close()
})
