import { describe, expect, test } from 'vitest'
import { createRouter } from '../../../sidecar/router/createRouter.ts'
import { EnvelopeModel } from '../../../sidecar/router/envelopeModel.ts'
import { judgedInputs } from '../../../sidecar/router/judgements.ts'
import { openDecisions } from '../../../sidecar/router/readDecisions.ts'
import type { EnvelopeFacts, RouterOptions, StoredDecision } from '../../../sidecar/router/types.ts'
import { createBlock, type Transaction } from './support/blocks.ts'
import { dependencies, usualOptions } from './support/options.ts'
import { apply, hex, Tables } from './support/tables.ts'
import { createTraffic } from './support/traffic.ts'

/** Everything that can run does, so that every outcome is seen. */
const everything: RouterOptions = {
  ...usualOptions,
  scorer: 'enhanced',
  learn: { ...usualOptions.learn, lag: 1 },
  policy: { ...usualOptions.policy, runAbove: 0, skipBelow: 0, unsafeBelow: 0 },
}

/** One envelope of a test block, and how it ends. */
type Sent = {
  readonly payer: number
  readonly program?: number
  readonly computeUnitLimit?: number
  readonly payloadBytes?: number
  readonly succeeds?: boolean
  readonly units?: number
}

function factsOf({ payer, program = 9, computeUnitLimit, payloadBytes = 215 }: Sent): EnvelopeFacts {
  const key = new Uint8Array(32).fill(program)
  return {
    kind: 'transactions',
    rejected: undefined,
    pattern: Uint8Array.from([...key.subarray(12), 2, 0, 0, 0]),
    programs: [key],
    payloadBytes,
    items: 1,
    payer: new Uint8Array(32).fill(payer),
    ...(computeUnitLimit === undefined ? {} : { computeUnitLimit }),
    instructions: 1,
  }
}

function open(options: RouterOptions = everything) {
  const tables = new Tables()
  const router = createRouter(options, dependencies(tables.source), tables.state)
  let number = 0
  /** Takes the router through one more block; returns its decisions. */
  const send = async (sent: readonly Sent[], reversed = false) => {
    const transactions: Transaction[] = sent.map(() => ({ to: 0x53564d, input: '53564d01' }))
    const entries = sent.map((each, row): [number, EnvelopeFacts] => [row, factsOf(each)])
    const block = createBlock({ number: ++number, transactions })
    const { decisions } = await apply(
      router,
      tables,
      block,
      new Map(reversed ? entries.reverse() : entries),
      (row) => (sent[row]!.succeeds === false ? 'failed' : 'executed'),
      (row) => sent[row]!.units ?? 1000 + row,
    )
    const opened = openDecisions(decisions.blob)
    return { blob: decisions.blob, at: (row: number): Judged => judged(opened.at(row)) }
  }
  const undo = (count: number) => {
    const undone = tables.undo(count)
    number -= count
    router.undo(undone, tables.state.tip ?? createBlock({ number: 0, transactions: [] }).ref)
  }
  return { tables, send, undo }
}

type Judged = StoredDecision & { readonly judgement: NonNullable<StoredDecision['judgement']> }
function judged(decision: StoredDecision): Judged {
  if (decision.judgement === undefined) throw new Error(`not judged: ${decision.reason}`)
  return { ...decision, judgement: decision.judgement }
}

async function sendOften(times: number, sent: readonly Sent[], world = open()) {
  for (let i = 0; i < times; i++) await world.send(sent)
  return world
}

describe('what it knows', () => {
  test('with nothing learnt it is the estimate of the pattern, between its bounds', async () => {
    const decision = (await open().send([{ payer: 1 }])).at(0)
    const { success, lower, upper, because, computeUnits } = decision.judgement
    // The prior for the SVM.
    expect(success).toBeCloseTo(0.8, 6)
    expect(lower).toBeLessThan(success)
    expect(upper).toBeGreaterThan(success)
    for (const name of judgedInputs) if (name !== 'pattern') expect(because[name], name).toBe(0)
    expect(computeUnits).toBeUndefined()
    expect(decision.reason).toContain('compute units unknown')
  })

  test('a payer whose calls fail is told from others of the same program', async () => {
    const sent = [{ payer: 1, succeeds: false }, ...[2, 3, 4, 5, 6].map((payer) => ({ payer }))]
    const { send } = await sendOften(30, sent)
    const block = await send(sent)
    const [failing, working] = [block.at(0), block.at(1)]
    expect(failing.judgement.upper).toBeLessThan(working.judgement.lower)
    expect(failing.judgement.success).toBeLessThan(0.3)
    expect(working.judgement.success).toBeGreaterThan(0.9)
    expect(failing.judgement.because['payer with program']).toBeLessThan(0)
    expect(failing.reason).toContain('its payer with this program −')
    expect(failing.judgement.risk).toBeGreaterThan(working.judgement.risk)
  })

  test('a payer may fail with one program and not with another', async () => {
    const others = [2, 3, 4].flatMap((payer) => [
      { payer, program: 9 },
      { payer, program: 8 },
    ])
    const sent = [{ payer: 1, program: 9, succeeds: false }, { payer: 1, program: 8 }, ...others]
    const { send } = await sendOften(30, sent)
    const block = await send(sent)
    expect(block.at(0).judgement.because['payer with program']).toBeLessThan(-0.5)
    expect(block.at(1).judgement.because['payer with program']).toBeGreaterThan(0)
    expect(block.at(0).judgement.upper).toBeLessThan(block.at(1).judgement.lower)
  })

  test('a program that turns bad is noticed long before its rate has come down', async () => {
    const payers = Array.from({ length: 8 }, (_, i) => ({ payer: i + 1 }))
    const world = await sendOften(60, payers)
    // Other payers, so that it is not they who fail.
    const strangers = (round: number) =>
      payers.map(({ payer }) => ({ payer: 100 + round * 8 + payer, succeeds: false }))
    for (let round = 0; round < 6; round++) await world.send(strangers(round))
    const { parts, judgement } = (await world.send(strangers(6))).at(0)
    expect(judgement.because.program).toBeLessThan(-1)
    expect(parts.success).toBeLessThan(0.5)
  })

  test('a compute limit that left too little room before counts against the next', async () => {
    // Every payer sets either, so that the limit alone tells.
    const sent = Array.from({ length: 8 }, (_, i) => ({
      payer: i >> 1,
      computeUnitLimit: i % 2 === 0 ? 500 : 1_000_000,
      succeeds: i % 2 === 1,
    }))
    const { send } = await sendOften(60, sent)
    const block = await send(sent)
    expect(block.at(0).judgement.because['compute limit']).toBeLessThan(0)
    expect(block.at(1).judgement.because['compute limit']).toBe(0)
    expect(block.at(0).judgement.upper).toBeLessThan(block.at(1).judgement.lower)
  })

  test('compute units are those of what ran before', async () => {
    const sent = [{ payer: 1 }, { payer: 2 }]
    const { send } = await sendOften(30, sent)
    const { computeUnits } = (await send(sent)).at(0).judgement
    // `apply` makes row r use 1000 + r.
    expect(computeUnits!.mean).toBeGreaterThanOrEqual(1000)
    expect(computeUnits!.mean).toBeLessThanOrEqual(1001)
    expect(computeUnits!.upper).toBeGreaterThan(computeUnits!.mean)
    expect(computeUnits!.upper).toBeLessThan(1300)
  })

  test('an envelope unlike the others of its program carries more risk', async () => {
    const { send } = await sendOften(30, [{ payer: 1 }, { payer: 2 }])
    const block = await send([{ payer: 1 }, { payer: 1, payloadBytes: 60_000 }])
    expect(block.at(0).judgement.riskParts.unlike).toBe(0)
    expect(block.at(1).judgement.riskParts.unlike).toBe(1)
    expect(block.at(1).judgement.risk).toBeGreaterThanOrEqual(60)
    expect(block.at(1).reason).toContain('most of it sizes unlike its own')
  })
})

describe('what it is worth', () => {
  const weighing = { ...everything, policy: { ...everything.policy, runAbove: 0.5 } }
  // Two programs that fail every other time, whoever calls; one is sixteen times as dear.
  const round = (number: number) =>
    [8, 9].flatMap((program) =>
      [0, 1].map((half) => ({
        payer: 1 + ((number + half) % 200),
        program,
        succeeds: (number + half) % 2 === 0,
        units: program === 8 ? 1000 : 16_000,
      })),
    )

  test('the chance that is needed rises with what a failure costs', async () => {
    const world = open(weighing)
    for (let number = 1; number <= 20; number++) await world.send(round(number))
    const block = await world.send([
      { payer: 250, program: 8 },
      { payer: 250, program: 9 },
      { payer: 250, program: 7 },
    ])
    const [cheap, dear, unknown] = [block.at(0), block.at(1), block.at(2)]
    expect(cheap.judgement.success).toBeCloseTo(dear.judgement.success, 1)
    // What all use on average lies between the two, and near the cheap one where the dear one is refused.
    expect(cheap.judgement.needed).toBeLessThan(0.4)
    expect(dear.judgement.needed).toBeGreaterThan(0.6)
    expect(cheap.route).toBe('executeOnSvm')
    expect(cheap.reason).toMatch(
      /^Runs on the SVM because its chance of success is above the \d+\.\d % that its cost/,
    )
    expect(dear.route).toBe('executeOnEvm')
    expect(dear.reason).toMatch(/^Left to the EVM because its chance of success is not above the \d+\.\d %/)
    expect(unknown.judgement.needed).toBe(0.5)
  })

  test('what nothing is known of runs, however unlikely: it would never be known otherwise', async () => {
    const world = open({ ...weighing, policy: { ...weighing.policy, runAbove: 0.99 } })
    const decision = (await world.send([{ payer: 1 }])).at(0)
    expect(decision.judgement.success).toBeLessThan(decision.judgement.needed)
    expect(decision).toMatchObject({ route: 'executeOnSvm', rule: 'new program' })
  })
})

describe('as state of the chain', () => {
  const sent = [{ payer: 1, succeeds: false }, { payer: 2 }, { payer: 3, program: 8 }]

  test('undone and applied again it is the same to the byte, and so are the decisions', async () => {
    const { tables, send, undo } = await sendOften(5, sent)
    const before = tables.dump()
    const first = [await send(sent), await send([...sent].reverse())].map(({ blob }) => hex(blob))
    const after = tables.dump()
    expect(Object.keys(after.model!).some((key) => before.model![key] !== after.model![key])).toBe(true)
    undo(2)
    expect(tables.dump()).toEqual(before)
    const again = [await send(sent), await send([...sent].reverse())].map(({ blob }) => hex(blob))
    expect(again).toEqual(first)
    expect(tables.dump()).toEqual(after)
  })

  test('the weights it names change with what it learns, and with nothing else', async () => {
    const { send, undo } = open()
    const weights = async (given = sent) => (await send(given)).at(0).judgement.weights
    expect(await weights()).toBe('0'.repeat(16))
    const second = await weights()
    expect(second).not.toBe('0'.repeat(16))
    undo(1)
    expect(await weights([...sent].reverse())).toBe(second)
    expect(await weights()).not.toBe(second)
  })

  test('the order in which envelopes are given makes no difference', async () => {
    const [one, other] = [await sendOften(3, sent), await sendOften(3, sent)]
    expect(hex((await one.send(sent)).blob)).toBe(hex((await other.send(sent, true)).blob))
    expect(one.tables.dump()).toEqual(other.tables.dump())
  })

  test('random traffic leaves rows of every kind, so that the property over forks and restarts is about something', async () => {
    const tables = new Tables()
    const router = createRouter(everything, dependencies(tables.source), tables.state)
    for (let number = 1; number <= 30; number++) {
      const { block, envelopes, run } = createTraffic(number, { number, fork: 0, parentFork: 0 })
      await apply(router, tables, block, envelopes, run)
    }
    const kinds = [...tables.rows.get('model')!.keys()].map((key) => key.slice(0, 2))
    expect([...new Set(kinds)].sort()).toEqual(['00', '01', '02'])
    expect(kinds.length).toBeGreaterThan(20)
  })

  test('a damaged row is refused by name', () => {
    const model = new EnvelopeModel(512, 0.5)
    for (const [key, value] of [
      [[9], 4],
      [[0], 3],
      [[1, 0, 0, 1], 15],
      [[1, 0xff, 0, 1], 16],
      [[2, 0, 0, 1], 16],
      [[], 16],
    ] as const) {
      const put = () => model.put(Uint8Array.from(key), new Uint8Array(value))
      expect(put, `key ${key}, ${value} bytes`).toThrow(expect.objectContaining({ code: 'state damaged' }))
    }
  })
})
