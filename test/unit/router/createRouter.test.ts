import { describe, expect, test } from 'vitest'
import {
  blobLayout,
  readBlobHeader,
  WITH_RATES,
  writeBlobHeader,
} from '../../../sidecar/router/blobLayout.ts'
import { createRouter } from '../../../sidecar/router/createRouter.ts'
import { openDecisions, readDecision, readDecisions } from '../../../sidecar/router/readDecisions.ts'
import type { EnvelopeFacts, RouterOptions } from '../../../sidecar/router/types.ts'
import { createBlock, hashOf, type Transaction } from './support/blocks.ts'
import { dependencies, smallOptions, usualOptions } from './support/options.ts'
import { haveRealBlocks, readRealBlocks, rechained } from './support/realBlocks.ts'
import { apply, hex, Tables } from './support/tables.ts'

const program = new Uint8Array(32).fill(9)
const facts: EnvelopeFacts = {
  kind: 'transactions',
  rejected: undefined,
  pattern: Uint8Array.from([...program.subarray(12), 2, 0, 0, 0]),
  programs: [program],
  payloadBytes: 215,
  items: 1,
}
const envelope: Transaction = { to: 0x53564d, input: '53564d01' }

function open(options: RouterOptions = usualOptions) {
  const tables = new Tables()
  return { tables, router: createRouter(options, dependencies(tables.source), tables.state) }
}

async function decideOne(options: RouterOptions, given: EnvelopeFacts) {
  const { tables, router } = open(options)
  const block = createBlock({ number: 1, transactions: [envelope] })
  const { decisions } = await apply(router, tables, block, new Map([[0, given]]))
  return { decisions, decision: readDecision(decisions.blob, 0) }
}

describe('hard rules', () => {
  test('an envelope of which nothing can run is skipped, with its reason', async () => {
    const { decision } = await decideOne(usualOptions, {
      ...facts,
      kind: 'rejected',
      rejected: 'bad signature',
    })
    expect(decision).toMatchObject({ route: 'skip', confidence: 1 })
    expect(decision.reason).toContain('bad signature')
  })

  test('a call to a denied program is skipped', async () => {
    const policy = { ...usualOptions.policy, deniedPrograms: [program] }
    const { decision } = await decideOne({ ...usualOptions, policy }, facts)
    expect(decision.route).toBe('skip')
    expect(decision.reason).toContain(hex(program))
  })

  test('a payload over the limit is skipped, one at the limit is not', async () => {
    const at = (maxPayloadBytes: number) => ({
      ...usualOptions,
      policy: { ...usualOptions.policy, maxPayloadBytes },
    })
    expect((await decideOne(at(214), facts)).decision.reason).toContain('215 bytes, at most 214')
    expect((await decideOne(at(215), facts)).decision.route).toBe('executeOnSvm')
  })

  test('a deposit runs', async () => {
    const { decision, decisions } = await decideOne(usualOptions, { ...facts, kind: 'deposit' })
    expect(decision.route).toBe('executeOnSvm')
    expect(decisions.admitted).toEqual([0])
  })
})

describe('judgement', () => {
  /** The decision on one more envelope after `blocks` blocks of 4, run with `status`. */
  async function decideAfter(
    blocks: number,
    status: 'executed' | 'failed' | 'rejected',
    last: Transaction = envelope,
  ) {
    const { tables, router } = open()
    const row = [envelope, envelope, envelope, envelope]
    const envelopes = new Map(row.map((_, i) => [i, facts]))
    for (let number = 1; number <= blocks; number++) {
      await apply(router, tables, createBlock({ number, transactions: row }), envelopes, () => status)
    }
    const block = createBlock({ number: blocks + 1, transactions: [last] })
    const { decisions } = await apply(router, tables, block, new Map([[0, facts]]))
    return readDecision(decisions.blob, 0)
  }

  test('a new program runs', async () => {
    const decision = await decideAfter(0, 'executed')
    expect(decision.reason).toContain('too little evidence')
    expect(decision.parts).toMatchObject({ novelty: 1, evidence: 0, safety: 1 })
  })

  test('nothing is learnt before the lag has passed', async () => {
    expect((await decideAfter(7, 'failed')).reason).toContain('too little evidence')
  })

  test('a program that works is proven, and its sentence has its numbers', async () => {
    const decision = await decideAfter(30, 'executed')
    expect(decision.route).toBe('executeOnSvm')
    expect(decision.reason).toMatch(
      /lower bound is above 70\.0 %: score 0\.\d{3}, success (9\d|100)\.\d % ± \d\.\d %/,
    )
  })

  test('a program that keeps failing is hopeless', async () => {
    const decision = await decideAfter(30, 'failed')
    expect(decision.route).toBe('skip')
    expect(decision.reason).toContain('keeps failing on the SVM')
  })

  test('rejected items say nothing of the program', async () => {
    expect((await decideAfter(30, 'rejected')).reason).toContain('too little evidence')
  })

  test('a call unlike those the program is known by is unsafe', async () => {
    const odd = {
      ...envelope,
      value: 10n ** 24n,
      gasLimit: 30_000_000,
      input: `53564d${'01'.repeat(100_000)}`,
    }
    expect((await decideAfter(30, 'executed', odd)).reason).toContain('unlike')
  })

  test('a plain call is left to the EVM, and is spam once its pattern keeps failing', async () => {
    const { tables, router } = open()
    const transactions = Array.from({ length: 8 }, () => ({ to: 5, input: 'deadbeef', status: 0 as const }))
    let decision = ''
    for (let number = 1; number <= 40; number++) {
      const { decisions } = await apply(router, tables, createBlock({ number, transactions }))
      decision += readDecision(decisions.blob, 0).route === 'skip' ? 's' : 'e'
    }
    expect(decision).toMatch(/^e{9,30}s+$/)
  })

  test('an unknown status is no success and no failure', async () => {
    const { tables, router } = open()
    const transactions = Array.from({ length: 8 }, () => ({ to: 5, input: 'deadbeef', status: 2 as const }))
    for (let number = 1; number <= 20; number++)
      await apply(router, tables, createBlock({ number, transactions }))
    const { decisions } = await apply(router, tables, createBlock({ number: 21, transactions }))
    const { parts } = readDecision(decisions.blob, 0)
    expect(parts.evidence).toBe(0)
    expect(parts.novelty, 'but it was seen').toBeLessThan(0.1)
  })
})

test('an Ethereum call to the last 20 bytes of a program does not touch what is known of the program', async () => {
  const { tables, router } = open()
  const attack = { to: hex(program.subarray(12)), input: '02000000', status: 0 as const }
  for (let number = 1; number <= 30; number++) {
    const block = createBlock({ number, transactions: Array.from({ length: 8 }, () => attack) })
    await apply(router, tables, block)
  }
  const block = createBlock({ number: 31, transactions: [envelope, attack] })
  const { decisions } = await apply(router, tables, block, new Map([[0, facts]]))
  expect(readDecision(decisions.blob, 0).parts).toMatchObject({ evidence: 0, novelty: 1 })
  expect(readDecision(decisions.blob, 1).route).toBe('skip')
})

test('transfers without calldata share one pattern, whoever receives them', async () => {
  const { tables, router } = open(smallOptions)
  const transactions = Array.from({ length: 50 }, (_, i) => ({ to: i, input: '', value: 1n }))
  for (let number = 1; number <= 4; number++)
    await apply(router, tables, createBlock({ number, transactions }))
  const keys = [...tables.rows.get('pattern')!.keys()]
  expect(keys.sort()).toEqual([`${'0'.repeat(48)}02`, `${'0'.repeat(48)}06`])
})

test('projects what changed since the boundary before, by what the learner knew', async () => {
  const { tables, router } = open({ ...smallOptions, learn: { lag: 2, halfLife: 1_000_000, priorWeight: 2 } })
  const written: string[][] = []
  for (let number = 1; number <= 12; number++) {
    // Block n calls contract n; with a lag of 2, boundary 8 learns blocks 3 to 6 after what boundary 4 learnt: 1 and 2.
    const block = createBlock({
      number,
      transactions: [{ to: number, input: 'a9059cbb', gasLimit: 1000 * number }],
    })
    const { settled } = await apply(router, tables, block)
    if (settled.patterns === undefined) continue
    written.push(settled.patterns.map(({ id }) => id.slice(38, 40)))
    for (const row of settled.patterns) {
      const contract = Number.parseInt(row.id.slice(38, 40), 16)
      expect(row).toMatchObject({
        boundary: BigInt(number),
        gasLimit: 1000 * contract,
        calldataBytes: 4,
        svm: false,
      })
      expect(row.evmSucceeded).toBeCloseTo(1, 4)
    }
  }
  expect(written).toEqual([
    ['01', '02'],
    ['03', '04', '05', '06'],
    ['07', '08', '09', '0a'],
  ])
})

test('holds no more patterns than it may, and drops those that have faded', async () => {
  const { tables, router } = open(smallOptions)
  let removed = 0
  for (let number = 1; number <= 40; number++) {
    const transactions = Array.from({ length: 6 }, (_, i) => ({ to: number * 6 + i, input: 'a9059cbb' }))
    const { settled } = await apply(router, tables, createBlock({ number, transactions }))
    removed += settled.removed?.length ?? 0
    expect(tables.rows.get('pattern')?.size ?? 0, `after block ${number}`).toBeLessThanOrEqual(17)
  }
  expect(removed).toBeGreaterThan(0)
  for (let number = 41; number <= 80; number++) {
    await apply(router, tables, createBlock({ number, transactions: [] }))
  }
  expect([...tables.rows.get('pattern')!.keys()], 'all but the total').toEqual([`${'0'.repeat(48)}06`])
})

test('calls out of order are refused by name', async () => {
  const { tables, router } = open()
  const first = createBlock({ number: 1, transactions: [] })
  expect(() => router.decide(first, new Map())).toThrow(
    expect.objectContaining({ code: 'context not prepared' }),
  )
  expect(() => router.settle(first, [])).toThrow(expect.objectContaining({ code: 'out of order' }))
  await apply(router, tables, first)
  const stranger = createBlock({ number: 2, fork: 1, transactions: [] })
  router.prepare(stranger)
  expect(() => router.decide(stranger, new Map())).toThrow(hashOf(1))
})

test('options out of range are all named at once', () => {
  const wrong = { ...usualOptions, learn: { lag: 0, halfLife: 0.5, priorWeight: 0 }, keptUndo: -1 }
  const source = { patternsAt: async () => [] }
  const create = () => createRouter(wrong, dependencies(source), { rows: () => [], tip: undefined })
  for (const name of ['learn.lag', 'learn.halfLife', 'learn.priorWeight', 'keptUndo'])
    expect(create).toThrow(name)
})

test('the model version names scorer and settings that decide, and no others', () => {
  const version = (options: RouterOptions) => open(options).router.modelVersion
  expect(version(usualOptions)).toMatch(/^pattern\/1\/[0-9a-f]{12}$/)
  expect(version({ ...usualOptions, keptUndo: 9 })).toBe(version(usualOptions))
  expect(version({ ...usualOptions, learn: { ...usualOptions.learn, lag: 9 } })).not.toBe(
    version(usualOptions),
  )
  expect(version({ ...usualOptions, scorer: 'seed' })).toMatch(/^seed\/1\//)
})

test('damaged decisions are refused', async () => {
  const { decisions } = await decideOne(usualOptions, facts)
  for (const damaged of [decisions.blob.subarray(4), decisions.blob.slice(0, -4), new Uint8Array(0)]) {
    expect(() => openDecisions(damaged), `${damaged.length} bytes`).toThrow(
      expect.objectContaining({ code: 'blob damaged' }),
    )
  }
  expect(() => readDecision(decisions.blob, 1)).toThrow(RangeError)
})

test('a chance of success is read as a float, and from decisions stored without those to a byte', async () => {
  const { tables, router } = open()
  const calls = [1, 2, 3].map((to) => ({
    to,
    input: 'deadbeef',
    status: to === 3 ? (0 as const) : (1 as const),
  }))
  let blob: Uint8Array = new Uint8Array(0)
  for (let number = 1; number <= 12; number++) {
    blob = (await apply(router, tables, createBlock({ number, transactions: calls }))).decisions.blob
  }
  const facts = readBlobHeader(blob)!
  const { rates, patterns } = blobLayout(facts)
  const older = new Uint8Array(blob.length - (patterns - rates))
  older.set(blob.subarray(0, rates))
  older.set(blob.subarray(patterns), rates)
  writeBlobHeader(older.buffer, { ...facts, flags: facts.flags & ~WITH_RATES })
  for (const row of calls.keys()) {
    const [now, then] = [readDecision(blob, row), readDecision(older, row)]
    expect(now.parts.success! * 255, 'finer than a byte').not.toBe(Math.round(now.parts.success! * 255))
    expect(then.parts.success).toBe(Math.round(now.parts.success! * 255) / 255)
    expect({ ...then.parts, success: 0 }).toEqual({ ...now.parts, success: 0 })
    expect(then.reason.slice(0, 20)).toBe(now.reason.slice(0, 20))
  }
})

test('forgetting ids it has no more use for changes no decision', async () => {
  // More distinct patterns than the table keeps ids for, in blocks large enough to be there soon.
  const { tables, router } = open(smallOptions)
  const other = new Tables()
  for (let number = 1; number <= 10; number++) {
    // Two blocks each have the same patterns, but for eight that all blocks have.
    const transactions = Array.from({ length: 7000 }, (_, i) => ({
      to: i >= 6992 ? i : (number & ~1) * 65_536 + i,
      input: i >= 6992 ? 'deadbeef' : 'a9059cbb',
      status: i % 2 === 0 ? (1 as const) : (0 as const),
    }))
    const block = createBlock({ number, transactions })
    const { decisions } = await apply(router, tables, block)
    // Opened anew for every block, it never has that many.
    const fresh = createRouter(smallOptions, dependencies(other.source), other.state)
    const { decisions: expected } = await apply(fresh, other, block)
    expect(Buffer.compare(decisions.blob, expected.blob), `block ${number}`).toBe(0)
  }
  expect(tables.dump().pattern).toEqual(other.dump().pattern)
})

for (const scorer of ['enhanced', 'pattern', 'seed'] as const) {
  test.skipIf(!haveRealBlocks)(
    `decides every transaction of recorded mainnet blocks (${scorer})`,
    async () => {
      const { tables, router } = open({
        ...usualOptions,
        scorer,
        context: { ...usualOptions.context, epoch: 16, lag: 8 },
      })
      let number = 0
      for (const recorded of readRealBlocks()) {
        const block = rechained(recorded, ++number)
        const { decisions } = await apply(router, tables, block)
        const { count } = block.transactions
        expect(decisions.counts.executeOnEvm + decisions.counts.skip).toBe(count)
        expect(decisions.admitted).toEqual([])
        const read = readDecisions(decisions.blob, block.ref, block.transactions.hashes)
        expect(read).toHaveLength(count)
        const outside = read.filter(({ parts, confidence }) =>
          [...Object.values(parts), confidence].some((part) => !(part >= 0 && part <= 1)),
        )
        expect(outside, `block ${number}: parts outside of 0 to 1`).toEqual([])
        const unclear = read.filter(
          ({ reason }) => !/^[A-Z][^\n]+\.$/.test(reason) || /NaN|undefined/.test(reason),
        )
        expect(unclear, `block ${number}: reasons that are no sentence`).toEqual([])
      }
      expect(tables.vectors.size).toBeGreaterThan(500)
    },
  )
}
