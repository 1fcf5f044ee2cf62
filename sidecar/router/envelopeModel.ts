import { hash } from 'node:crypto'
import type { StateWrite } from '../notification/stateWrite.ts'
import { quarterOctaves } from './blockFeatures.ts'
import { logit, sigmoid } from './expLog.ts'
import { InputScales } from './inputScales.ts'
import {
  JUDGEMENT,
  type JudgementFacts,
  judgementBytes,
  riskParts,
  WEIGHTS_HASH,
  writeJudgement,
} from './judgements.ts'
import { log2 } from './log2.ts'
import { Domain } from './patternKey.ts'
import { MAX_UNITS, PATTERN_DEVIATIONS, patternParts } from './patternScorer.ts'
import { FAIL, OK, type PatternTable, STATE, UNITS } from './patternTable.ts'
import { ProgramProfiles, type ProgramSizes } from './programProfiles.ts'
import { Residuals, residualKinds, SHRINKAGE } from './residuals.ts'
import { riskOf } from './risk.ts'
import { RouterError } from './routerError.ts'
import { hashBytes, hashPair } from './rowHash.ts'
import { quantised, type ScorerInput, type Scores } from './scorer.ts'
import type { EnvelopeFacts, ItemOutcome } from './types.ts'

/** First byte of the keys in table `model`. */
const KEY = { scales: 0, residuals: 1, profiles: 2 } as const
/** Kinds of thing that have hashes. */
const THING = { payer: 1, program: 2, pair: 3, profile: 4 } as const
/** 131 072 residuals at 16 bytes, 16 384 profiles at 48. */
const RESIDUAL_BITS = 17
const PROFILE_BITS = 14

/** Places of the inputs, as `judgedInputs` names them; the kinds of residual are 2 and 3, in their order. */
const PATTERN = 0
const BIAS = 1
const RESIDUAL = 2
const LIMIT = 4
const INPUTS = 5
const SCALES_BYTES = 2 * INPUTS * 8 + 32
/** At first the model is the pattern's estimate, moved by the residuals as they are. */
const START = [1, 0, 1, 1, 0]

/** Success rates further out count as this: their log odds would drown the rest. */
const LEAST_RATE = 0.005
/** What a residual expects stays this far from certain. */
const LEAST_EXPECTED = 0.02
/** Standard deviations of the log odds between the estimate and its bounds. */
const DEVIATIONS = 1
/** Variance of the pattern's log odds, at most: that of a rate nobody knows. */
const MOST_PATTERN_VARIANCE = 4
/** Standard deviations of room above which a compute limit is no danger, and the least input. */
const SAFE_HEADROOM = 3
const LEAST_LIMIT = -3
/** Units an instruction may use where no limit is set. */
const UNITS_PER_INSTRUCTION = 200_000

/** Columns of the pattern scorer's parts that the model writes over or reads. */
const NOVELTY = patternParts.indexOf('novelty')
const SAFETY = patternParts.indexOf('safety')

/**
 * Words of an example: hashes of pair, program and profile, two each; the inputs but the bias; outcome and log2 of units
 * as floats; sizes in one word.
 */
const EXAMPLE = 13
const INPUT = 6
const OUTCOME = 10
const RAN_UNITS = 11
const SIZES = 12

/** What one block teaches the model, `EXAMPLE` words for each envelope of which an item ran. */
type Examples = Uint8Array
const NOTHING: Examples = new Uint8Array(0)
const NO_PROGRAM = new Uint32Array(5)

/**
 * The model that judges envelopes. The log odds of success are a sum: the pattern's own; what is known of the payer with
 * this program, and of the program lately; the room its compute limit leaves. Each has a scale that is learnt. With
 * nothing learnt it is the pattern's estimate.
 *
 * All of it is state of the chain: it changes by `learn` alone, through writes of table `model`.
 */
export class EnvelopeModel {
  private readonly scales = new InputScales(START)
  private readonly residuals: Residuals
  private readonly profiles = new ProgramProfiles(KEY.profiles, PROFILE_BITS)
  /** Hash over everything learnt so far, in order. It is kept in one row with the scales. */
  private weights = new Uint8Array(32)
  private isStored = false

  /** Of the block judged last, by place: its envelopes' rows, inputs, hashes and sizes. */
  private count = 0
  private rows = new Int32Array(0)
  private x = new Float64Array(0)
  private hashes = new Uint32Array(0)
  private sizes = new Uint32Array(0)
  private view = new DataView(new ArrayBuffer(0))

  private readonly payer = { bucket: 0, tag: 0 }
  private readonly program = { bucket: 0, tag: 0 }
  private readonly pair = { bucket: 0, tag: 0 }
  private readonly profile = { bucket: 0, tag: 0 }
  /** In the order of `residualKinds`. */
  private readonly things = [this.pair, this.program]
  private readonly spread = new Float64Array(residualKinds.length)
  private readonly facts: JudgementFacts = {
    ...{ row: 0, success: 0, lower: 0, upper: 0, needed: 0, meanUnits: 0, upperUnits: 0, risk: 0 },
    ...{ risks: new Float64Array(riskParts.length), inputs: new Float64Array(INPUTS) },
  }

  /** The chance that a run needs which costs, if it fails, what a success is worth. */
  private readonly runAbove: number

  constructor(halfLife: number, runAbove: number) {
    this.runAbove = runAbove
    this.residuals = new Residuals(KEY.residuals, RESIDUAL_BITS, halfLife)
  }

  /**
   * Judges the envelopes of a block of which something can run, over what the pattern scorer made of them: their score
   * becomes the chance of success, and their bounds those of it. Returns the blob's section; empty without any.
   */
  judge(input: ScorerInput, envelopes: ReadonlyMap<number, EnvelopeFacts>, into: Scores): Uint8Array {
    this.reserve(envelopes.size)
    this.count = 0
    for (const [row, facts] of envelopes) {
      if (facts.kind === 'transactions' && facts.rejected === undefined) this.rows[this.count++] = row
    }
    // The map may come in any order.
    this.rows.subarray(0, this.count).sort()
    if (this.count === 0) return NOTHING
    const section = new Uint8Array(judgementBytes(this.count))
    section.set(this.weights.subarray(0, WEIGHTS_HASH))
    this.view = new DataView(section.buffer)
    for (let place = 0; place < this.count; place++) {
      this.judgeOne(place, envelopes.get(this.rows[place]!)!, input, into)
    }
    return section
  }

  /** What the block judged last teaches, as its items came out. Items that were rejected teach nothing. */
  examples(items: readonly ItemOutcome[]): Examples {
    if (this.count === 0) return NOTHING
    const ran = new Float64Array(this.count * 3)
    let place = 0
    for (const { transactionIndex, status, computeUnits } of items) {
      if (status !== 'executed' && status !== 'failed') continue
      if (this.rows[place] !== transactionIndex) {
        // They come in order: the next one, where it is not of the same batch.
        place =
          place + 1 < this.count && this.rows[place + 1] === transactionIndex
            ? place + 1
            : this.rows.subarray(0, this.count).indexOf(transactionIndex)
        if (place < 0) throw new RangeError(`transaction ${transactionIndex} ran and was not judged`)
      }
      if (status === 'executed') {
        ran[place * 3]!++
        ran[place * 3 + 2]! += computeUnits
      } else ran[place * 3 + 1]!++
    }
    const words = new Uint32Array(this.count * EXAMPLE)
    const floats = new Float32Array(words.buffer)
    let at = 0
    for (place = 0; place < this.count; place++) {
      const executed = ran[place * 3]!
      const outcomes = executed + ran[place * 3 + 1]!
      if (outcomes === 0) continue
      for (let word = 0; word < INPUT; word++) words[at + word] = this.hashes[place * INPUT + word]!
      for (let i = 0, word = INPUT; i < INPUTS; i++) {
        if (i !== BIAS) floats[at + word++] = this.x[place * INPUTS + i]!
      }
      floats[at + OUTCOME] = executed / outcomes
      const units = Math.min(0xffffffff, Math.floor(ran[place * 3 + 2]! / Math.max(1, executed)))
      floats[at + RAN_UNITS] = units === 0 ? -1 : log2(units)
      words[at + SIZES] = this.sizes[place]!
      at += EXAMPLE
    }
    return new Uint8Array(words.buffer, 0, at * 4)
  }

  /** Learns the examples of block `learnt`; appends a write for every row that changed. */
  learn(examples: Examples, learnt: number, writes: StateWrite[]): void {
    if (examples.length === 0) return
    const before = this.isStored ? this.scalesRow() : undefined
    const first = writes.length
    const words = new Uint32Array(examples.slice().buffer)
    const floats = new Float32Array(words.buffer)
    const x = new Float64Array(INPUTS)
    x[BIAS] = 1
    for (let at = 0; at < words.length; at += EXAMPLE) {
      for (let i = 0, word = INPUT; i < INPUTS; i++) if (i !== BIAS) x[i] = floats[at + word++]!
      this.loadThings(words, at)
      const outcome = floats[at + OUTCOME]!
      this.scales.learn(x, 0, outcome)
      const rate = sigmoid(x[PATTERN]!)
      const expected = Math.min(1 - LEAST_EXPECTED, Math.max(LEAST_EXPECTED, rate))
      for (let kind = 0; kind < residualKinds.length; kind++) {
        const { bucket, tag } = this.things[kind]!
        this.residuals.learn(kind, bucket, tag, learnt, outcome, expected)
      }
      const units = floats[at + RAN_UNITS]!
      const { bucket, tag } = this.profile
      this.profiles.learn(bucket, tag, learnt, sizesOf(words[at + SIZES]!), units < 0 ? undefined : units)
    }
    this.residuals.flush(writes)
    this.profiles.flush(writes)
    this.weights = hashOf(this.weights, writes, first)
    this.isStored = true
    const key = Uint8Array.of(KEY.scales)
    writes.push({ table: 'model', key, before, after: this.scalesRow() })
  }

  /** Puts a stored row, or takes it away; throws `state damaged`. */
  put(key: Uint8Array, stored: Uint8Array | undefined): void {
    let fits = false
    if (key[0] === KEY.residuals) fits = this.residuals.rows.put(key, stored)
    else if (key[0] === KEY.profiles) fits = this.profiles.rows.put(key, stored)
    else if (key[0] === KEY.scales) fits = this.putScales(stored)
    if (fits) return
    throw new RouterError('state damaged', {
      expected: 'a row of the scales, the residuals or the profiles',
      received: `a key of ${key.length} bytes and a value of ${stored?.length ?? 0}`,
      where: 'a row of table model',
      action: 'Restore the state from its last good checkpoint.',
    })
  }

  private judgeOne(place: number, envelope: EnvelopeFacts, input: ScorerInput, into: Scores): void {
    const { block, number, features, patterns, table } = input
    const { x, facts, scales, spread, profiles } = this
    const { risks, inputs } = facts
    const row = this.rows[place]!
    const { count } = features
    this.hashThings(place, row, envelope, block.transactions.senders)
    const size =
      features.gasQuarters[row]! |
      (quarterOctaves(envelope.payloadBytes) << 8) |
      (features.valueBits[row]! << 16)
    this.sizes[place] = size

    const at = place * INPUTS
    const rate = (into.lower[row]! + into.upper[row]!) / 2
    const bounded = Math.min(1 - LEAST_RATE, Math.max(LEAST_RATE, rate))
    x[at + PATTERN] = logit(bounded)
    x[at + BIAS] = 1
    // What the scales leave open, what the pattern's rate does, and what each residual does.
    const rateDeviation =
      (into.upper[row]! - into.lower[row]!) / (2 * PATTERN_DEVIATIONS * bounded * (1 - bounded))
    const patternScale = scales.values[PATTERN]!
    let variance =
      Math.min(MOST_PATTERN_VARIANCE, rateDeviation * rateDeviation) * patternScale * patternScale
    for (let kind = 0; kind < residualKinds.length; kind++) {
      const { bucket, tag } = this.things[kind]!
      x[at + RESIDUAL + kind] = this.residuals.read(kind, bucket, tag, number, spread)
      const scale = scales.values[RESIDUAL + kind]!
      variance += scale * scale * spread[kind]!
    }
    const profile = profiles.find(this.profile.bucket, this.profile.tag)
    x[at + LIMIT] = limitInput(profiles.headroom(profile, log2(computeLimit(envelope))))
    const odds = scales.predict(x, at)
    variance += scales.variance(x, at)
    const margin = DEVIATIONS * Math.sqrt(variance)
    for (let i = 0; i < INPUTS; i++) inputs[i] = scales.values[i]! * x[at + i]!
    facts.row = row
    facts.success = sigmoid(odds)
    facts.lower = sigmoid(odds - margin)
    facts.upper = sigmoid(odds + margin)

    const state = patterns.ids[patterns.localOf[row]!]! * STATE
    const ran = table.state[state + OK]! + table.state[state + FAIL]!
    facts.meanUnits = ran === 0 ? 0 : Math.min(MAX_UNITS, Math.floor(table.state[state + UNITS]! / ran + 0.5))
    facts.upperUnits = Math.min(MAX_UNITS, Math.ceil(profiles.upperUnits(profile) ?? facts.meanUnits))
    facts.needed = this.neededFor(facts.meanUnits, table)
    // 1 for a payer with this program, or a pattern, never met.
    const novelPair = spread[0]! * SHRINKAGE
    const novelPattern = into.parts[NOVELTY * count + row]! / 255
    const oddity = profiles.oddity(profile, sizesOf(size))
    facts.risk = riskOf({ oddity, novelty: (novelPair + novelPattern) / 2, inputs }, risks)
    writeJudgement(this.view, WEIGHTS_HASH + place * JUDGEMENT, facts)

    into.score[row] = facts.success
    into.lower[row] = facts.lower
    into.upper[row] = facts.upper
    into.needed[row] = facts.needed
    into.parts[row] = quantised(facts.success)
    into.parts[count + row] = quantised((facts.upper - facts.lower) / 2)
    into.parts[SAFETY * count + row] = quantised(1 - facts.risk / 100)
  }

  /** Hashes what the envelope is about, for now and for its example. */
  private hashThings(place: number, row: number, envelope: EnvelopeFacts, senders: Uint8Array): void {
    const { payer, program, pair, profile, hashes } = this
    const { pattern } = envelope
    if (envelope.payer === undefined) hashBytes(THING.payer, senders, row * 20, 20, payer)
    else hashBytes(THING.payer, envelope.payer, 0, 32, payer)
    hashBytes(THING.program, pattern, 0, 20, program)
    hashBytes(THING.profile, pattern, 0, 24, profile)
    hashPair(THING.pair, payer, program, pair)
    const at = place * INPUT
    hashes[at] = pair.bucket
    hashes[at + 1] = pair.tag
    hashes[at + 2] = program.bucket
    hashes[at + 3] = program.tag
    hashes[at + 4] = profile.bucket
    hashes[at + 5] = profile.tag
  }

  private loadThings(words: Uint32Array, at: number): void {
    const { program, pair, profile } = this
    pair.bucket = words[at]!
    pair.tag = words[at + 1]!
    program.bucket = words[at + 2]!
    program.tag = words[at + 3]!
    profile.bucket = words[at + 4]!
    profile.tag = words[at + 5]!
  }

  /**
   * The chance above which p × worth of a success is more than (1 - p) × cost of a failure. A success is worth what runs use
   * on average, a failure costs what its pattern does; while that is not known, as much.
   */
  private neededFor(units: number, table: PatternTable): number {
    const all = table.intern(NO_PROGRAM, 0, 0, Domain.allSvm) * STATE
    const { state } = table
    const ran = state[all + OK]! + state[all + FAIL]!
    const cost = units === 0 || state[all + UNITS] === 0 ? 1 : (units * ran) / state[all + UNITS]!
    const { runAbove } = this
    return (runAbove * cost) / (runAbove * cost + 1 - runAbove)
  }

  private scalesRow(): Uint8Array {
    const row = new Uint8Array(SCALES_BYTES)
    row.set(new Uint8Array(this.scales.values.buffer))
    row.set(this.weights, SCALES_BYTES - this.weights.length)
    return row
  }

  private putScales(stored: Uint8Array | undefined): boolean {
    this.isStored = stored !== undefined
    if (stored === undefined) {
      this.scales.reset()
      this.weights = new Uint8Array(32)
      return true
    }
    if (stored.length !== SCALES_BYTES) return false
    new Uint8Array(this.scales.values.buffer).set(stored.subarray(0, SCALES_BYTES - 32))
    this.weights = stored.slice(SCALES_BYTES - 32)
    return true
  }

  private reserve(envelopes: number): void {
    if (this.rows.length >= envelopes) return
    const places = Math.max(64, envelopes * 2)
    this.rows = new Int32Array(places)
    this.x = new Float64Array(places * INPUTS)
    this.hashes = new Uint32Array(places * INPUT)
    this.sizes = new Uint32Array(places)
  }
}

/** 0 with room enough; below, by how many standard deviations too little, halved. */
function limitInput(headroom: number | undefined): number {
  if (headroom === undefined || headroom >= SAFE_HEADROOM) return 0
  return Math.max(LEAST_LIMIT, (headroom - SAFE_HEADROOM) / 2)
}

/** Compute units the envelope may use: what it asks for, or what it gets without asking. */
function computeLimit({ computeUnitLimit, instructions }: EnvelopeFacts): number {
  const limit = computeUnitLimit ?? (instructions ?? 7) * UNITS_PER_INSTRUCTION
  return Math.max(1, Math.min(MAX_UNITS, limit))
}

function sizesOf(word: number): ProgramSizes {
  return { gas: word & 0xff, payload: (word >>> 8) & 0xff, value: word >>> 16 }
}

/** The hash of what was learnt before and of what the writes from `first` on leave. */
function hashOf(before: Uint8Array, writes: readonly StateWrite[], first: number): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [before]
  for (let i = first; i < writes.length; i++) parts.push(writes[i]!.key, writes[i]!.after!)
  return new Uint8Array(hash('sha256', Buffer.concat(parts), 'buffer'))
}
