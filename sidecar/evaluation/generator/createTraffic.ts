import { hash } from 'node:crypto'
import { createRandom, type Random } from '../random.ts'
import { derivedAccount } from './derivedAccount.ts'
import {
  burnTokens,
  callWithText,
  createMint,
  createTokenAccount,
  limitUnits,
  mintTokens,
  openAccount,
  transferLamports,
  transferTokens,
} from './instructions.ts'
import { solanaKey } from './keys.ts'
import type { BlockPlan, PlannedEnvelope, WorldAction } from './plan.ts'
import type { Service } from './services.ts'

/** What the traffic may ask of the VM, as of the block before. */
export type TrafficWorld = {
  readonly lamportsOf: (key: Uint8Array) => bigint
  readonly tokensOf: (account: Uint8Array) => bigint
  /** Compute units an order to the service needs. */
  readonly unitsNeeded: (service: Service) => number
}

const walletCount = 40
const spammerCount = 4
const shopCount = 6
/** How wallets come into and out of money, a block: they lose it, they get it back, and how many of ten are so. */
const walletKinds = [
  { tenths: 6, losing: 0.01, regaining: 0.5 },
  { tenths: 3, losing: 0.12, regaining: 0.25 },
  { tenths: 1, losing: 0.4, regaining: 0.05 },
]
/** Share of orders whose sender sets half of the compute limit that is needed: of one wallet in four, and of the others. */
const sloppiness = { some: 0.25, others: 0.01 }

/** Lamports of a wallet with money, and of one without: that pays fees, and nothing else. */
const rich = 10_000_000_000n
const poor = 1_400_000n
/** Every payment and order moves more than a wallet without money has. */
const leastPayment = 2_000_000n
/** Escrows are paid out whole; below this a plain account may not exist. */
const escrow = 1_000_000n

/** Tokens in the pool that a block finds: from `least`, each of the next `spread` numbers as likely as the others. */
const pools = {
  claim: { least: 4, spread: 10, takenByOthers: 4, amount: 1_000n },
  spam: { least: 0, spread: 3, takenByOthers: 0, amount: 7n },
}
type PoolName = keyof typeof pools

/** Openings of accounts: the share whose account exists already, of wallets that set a limit only enough for those. */
const opening = { existing: 0.6, tightUnits: 9_000, roomyUnits: 40_000 }

/**
 * The senders of a chain and their habits, all from `seed`. `plan` is asked block by block; for the same seed and the same
 * world it says the same.
 */
export function createTraffic(seed: string, services: readonly Service[], world: TrafficWorld) {
  const bank = solanaKey(seed, 'bank')
  const mint = solanaKey(seed, 'mint')
  const addressOf = (name: string) => hash('sha256', `${seed}\0address\0${name}`, 'buffer').subarray(0, 20)
  const wallets = Array.from({ length: walletCount }, (_, index) => ({
    key: solanaKey(seed, `wallet ${index}`),
    address: addressOf(`wallet ${index}`),
    ...kindOf(index),
    sloppy: index % 4 === 0 ? sloppiness.some : sloppiness.others,
    tight: index % 3 === 0,
    isPoor: false,
  }))
  const spammers = Array.from({ length: spammerCount }, (_, index) => ({
    key: solanaKey(seed, `spammer ${index}`),
    address: addressOf(`spammer ${index}`),
  }))
  const shops = Array.from({ length: shopCount }, (_, index) => solanaKey(seed, `shop ${index}`).publicKey)
  const pool = (name: PoolName) => ({
    ...pools[name],
    owner: solanaKey(seed, `pool owner ${name}`),
    account: solanaKey(seed, `pool ${name}`),
  })
  const poolOf = { claim: pool('claim'), spam: pool('spam') }
  const claimed = solanaKey(seed, 'claimed')
  let congestion = 0.4
  let burstUntil = 0
  let spamUntil = 0

  /** Accounts and tokens there are before the first block. */
  function setUp(): WorldAction[] {
    const payers = [...wallets, ...spammers].map(({ key }) => key.publicKey)
    const deposits = [bank.publicKey, ...payers, ...shops].map((depositTo) => ({ depositTo, lamports: rich }))
    const tokenAccounts = [
      { account: claimed, owner: bank },
      ...[poolOf.claim, poolOf.spam].map(({ account, owner }) => ({ account, owner })),
    ]
    const owned = (key: Uint8Array) => ({ mint: mint.publicKey, owner: key })
    return [
      { depositTo: bank.publicKey, lamports: 1_000n * rich },
      ...deposits,
      {
        signers: [bank, mint],
        instructions: createMint(bank.publicKey, mint.publicKey, bank.publicKey),
      },
      ...tokenAccounts.map(({ account, owner }) => ({
        signers: [bank, account],
        instructions: createTokenAccount(bank.publicKey, account.publicKey, owned(owner.publicKey)),
      })),
    ]
  }

  function plan(number: number): BlockPlan {
    const random = createRandom(seed, `block ${number}`)
    if (number >= burstUntil && random.chance(0.03)) burstUntil = number + 6
    const drift = 0.85 * congestion + 0.15 * 0.35 + 0.16 * (random.unit() - 0.5)
    congestion = number < burstUntil ? 0.95 : Math.min(1, Math.max(0, drift))
    const actions: WorldAction[] = [{ depositTo: bank.publicKey, lamports: rich }]
    const envelopes = [
      ...payments(random, actions),
      ...orders(number, random, actions),
      ...openings(number, random, actions),
      ...claims('claim', random, 2 + Math.floor(10 * congestion)),
      ...spam(number, random),
    ]
    shuffle(envelopes, random)
    return { actions, envelopes: settleClaims(envelopes, random, actions), congestion }
  }

  /** A wallet pays a shop. It succeeds if the wallet has money; whether it still has is a Markov chain of its own. */
  function payments(random: Random, actions: WorldAction[]): PlannedEnvelope[] {
    const solvency = wallets.map((wallet) => {
      const losing = Math.min(1, wallet.losing * (1 + congestion))
      const truth = wallet.isPoor ? wallet.regaining : 1 - losing
      wallet.isPoor = !random.chance(truth)
      actions.push(...bringTo(wallet))
      return { wallet, truth, succeeds: !wallet.isPoor }
    })
    return Array.from({ length: 4 + Math.floor(10 * congestion) }, () => {
      const { wallet, truth, succeeds } = random.pick(solvency)
      const lamports = leastPayment + BigInt(random.below(40_000_000))
      const payment = transferLamports(wallet.key.publicKey, random.pick(shops), lamports)
      const facts = { kind: 'payment', sender: wallet.address, truth, succeeds } as const
      return { ...facts, signers: [wallet.key], instructions: [payment] }
    })
  }

  /** Gives a wallet what it should have, or takes what it should not. */
  function bringTo({ key, isPoor }: (typeof wallets)[number]): WorldAction[] {
    const has = world.lamportsOf(key.publicKey)
    if (!isPoor) return has < rich / 2n ? [{ depositTo: key.publicKey, lamports: rich - has }] : []
    if (has < (poor * 9n) / 10n) return [{ depositTo: key.publicKey, lamports: poor - has }]
    if (has <= poor) return []
    const taking = transferLamports(key.publicKey, bank.publicKey, has - poor)
    return [{ signers: [bank, key], instructions: [taking] }]
  }

  /**
   * Calls of a service, then its pay out of an escrow account. It succeeds if someone has filled the escrow, which depends
   * on the service and on how full the block is, and if the compute limit is what the calls need.
   */
  function orders(number: number, random: Random, actions: WorldAction[]): PlannedEnvelope[] {
    const live = services.filter(({ from, until }) => number >= from && number < until)
    const planned: PlannedEnvelope[] = []
    const order = (service: Service): void => {
      const wallet = random.pick(wallets)
      const method = random.pick(service.methods.filter(({ from }) => number >= from))
      const name = `${number} ${planned.length}`
      const paying = solanaKey(seed, `escrow ${name}`)
      const isSloppy = random.chance(wallet.sloppy)
      const needed = world.unitsNeeded(service)
      const filled = service.quality(number) * (1 - service.sensitivity * congestion)
      const isFilled = random.chance(filled)
      if (isFilled) actions.push({ depositTo: paying.publicKey, lamports: escrow })
      const text = `${method.name} ${name}`.padEnd(16).slice(0, 16)
      planned.push({
        kind: service.kind === 'service' ? 'order' : service.kind,
        sender: wallet.address,
        truth: isSloppy ? 0 : filled,
        succeeds: isFilled && !isSloppy,
        signers: [wallet.key, paying],
        instructions: [
          limitUnits(isSloppy ? Math.floor(needed / 2) : needed + 2_000),
          ...Array.from({ length: service.calls }, () => callWithText(service.program, text)),
          transferLamports(paying.publicKey, shops[0]!, escrow),
        ],
      })
    }
    const established = live.filter(({ kind }) => kind === 'service')
    for (let left = 5 + Math.floor(10 * congestion); left > 0; left--) order(weighted(established, random))
    for (const service of live) {
      if (service.kind === 'service') continue
      for (let left = 1 + random.below(2); left > 0; left--) order(service)
    }
    return planned
  }

  /** A wallet opens a token account for someone. Where it exists already that takes a third of the compute units. */
  function openings(number: number, random: Random, actions: WorldAction[]): PlannedEnvelope[] {
    return Array.from({ length: 1 + Math.floor(3 * congestion) }, (_, index) => {
      const wallet = random.pick(wallets)
      const account = {
        ...derivedAccount(`${seed} owner ${number} ${index}`, mint.publicKey),
        mint: mint.publicKey,
      }
      const exists = random.chance(opening.existing)
      if (exists) {
        const opened = openAccount(bank.publicKey, account)
        actions.push({ signers: [bank], instructions: [opened] })
      }
      // Its rent is more than a wallet without money has: the bank signs as who pays it.
      return {
        kind: 'opening',
        sender: wallet.address,
        truth: wallet.tight ? opening.existing : 1,
        succeeds: exists || !wallet.tight,
        signers: [wallet.key, bank],
        instructions: [
          limitUnits(wallet.tight ? opening.tightUnits : opening.roomyUnits),
          openAccount(bank.publicKey, account),
        ],
      }
    })
  }

  function spam(number: number, random: Random): PlannedEnvelope[] {
    if (number >= spamUntil && random.chance(0.05)) spamUntil = number + 12
    return number < spamUntil ? claims('spam', random, 5 + random.below(12)) : []
  }

  /** Tokens claimed from a pool that has too few: who comes later in the block gets none. Outcomes come with their order. */
  function claims(kind: PoolName, random: Random, count: number): PlannedEnvelope[] {
    const { owner, account, amount } = poolOf[kind]
    return Array.from({ length: count }, (_, index) => {
      const { key, address } = random.pick(kind === 'spam' ? spammers : wallets)
      return {
        kind,
        sender: address,
        truth: 0,
        succeeds: false,
        signers: [key, owner],
        instructions: [
          // A limit of its own each: the same message twice would be the same transaction.
          limitUnits(2_000 + index),
          transferTokens(account.publicKey, claimed.publicKey, owner.publicKey, amount),
        ],
      }
    })
  }

  /** Fills the pools as the chances draw it, and says what that means for each claim in its place. */
  function settleClaims(
    envelopes: readonly PlannedEnvelope[],
    random: Random,
    actions: WorldAction[],
  ): PlannedEnvelope[] {
    const left = new Map<PoolName, { taken: number; readonly filled: number; readonly others: number }>()
    for (const kind of ['claim', 'spam'] as const) {
      const { least, spread, takenByOthers, amount, account, owner } = poolOf[kind]
      const others = Math.floor(takenByOthers * congestion)
      const filled = Math.max(0, least + random.below(spread) - others)
      left.set(kind, { taken: 0, filled, others })
      const wanted = BigInt(filled) * amount
      const has = world.tokensOf(account.publicKey)
      if (has === wanted) continue
      const [to, minted] = [account.publicKey, mint.publicKey]
      actions.push(
        has < wanted
          ? { signers: [bank], instructions: [mintTokens(minted, to, bank.publicKey, wanted - has)] }
          : { signers: [bank, owner], instructions: [burnTokens(to, minted, owner.publicKey, has - wanted)] },
      )
    }
    return envelopes.map((envelope) => {
      if (envelope.kind !== 'claim' && envelope.kind !== 'spam') return envelope
      const state = left.get(envelope.kind)!
      const { least, spread } = poolOf[envelope.kind]
      const place = ++state.taken
      // Drawn was one of `spread` numbers from `least` on; enough for this place are those from `place + others` on.
      const enough = least + spread - Math.max(least, place + state.others)
      const truth = Math.min(1, Math.max(0, enough / spread))
      return { ...envelope, truth, succeeds: place <= state.filled }
    })
  }

  return { setUp, plan }
}

function kindOf(index: number) {
  let tenth = index % 10
  for (const { tenths, ...kind } of walletKinds) {
    if (tenth < tenths) return kind
    tenth -= tenths
  }
  throw new RangeError('expected wallet kinds for all ten tenths')
}

function weighted(services: readonly Service[], random: Random): Service {
  let rest = random.unit() * services.reduce((sum, { weight }) => sum + weight, 0)
  for (const service of services) {
    rest -= service.weight
    if (rest < 0) return service
  }
  return services.at(-1)!
}

function shuffle(items: unknown[], random: Random): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = random.below(last + 1)
    const moved = items[last]
    items[last] = items[other]
    items[other] = moved
  }
}
