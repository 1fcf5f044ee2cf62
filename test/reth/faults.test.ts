import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { compareWithFreshRun, createRandom } from '#harness'
import { finishedHeightOf } from '../../harness/assertions/callStreamServer.ts'
import { openRawConsumer } from './rawConsumer.ts'
import { binary, finalityDepth, type Pair, seen, startPair } from './startPair.ts'

const seed = Number(process.env.SEED ?? 1)

/** Ends as every one of them must: equal to a fresh run, the node as it was, the height told of allowed. */
async function settle(pair: Pair, what: string, facts: Record<string, unknown> = {}) {
  const { node, driver, sidecar } = pair
  await sidecar.untilDurable(driver.head(), 120_000)
  const held = await compareWithFreshRun(sidecar, node.rpcUrl)
  expect(node.state()).toBe('running')
  expect(node.logs()).not.toMatch(/panic/i)
  const status = await sidecar.status()
  if (status.finishedHeight !== null)
    expect(BigInt(status.finishedHeight.number)).toBeLessThanOrEqual(driver.finalized().number)
  const told = (await finishedHeightOf(node.exexAddress))?.number ?? 0n
  expect(told).toBeLessThanOrEqual(driver.finalized().number)
  const { blocks, transactions, reorgs, blocksReverted, svm } = held
  seen(what, {
    ...facts,
    head: Number(driver.head().number),
    blocks,
    transactions,
    reorgs,
    blocksReverted,
    svm,
  })
}

describe.skipIf(binary === '')('a sidecar on a real node, the consensus client played by a driver', () => {
  test('reorgs to depth 20, to shorter and to longer branches, back and forth', async () => {
    await using pair = await startPair({ seed })
    const { driver } = pair
    const random = createRandom(seed, 'reorgs')
    for (let block = 0; block < 24; block++) await pair.mine(30)
    let forks = 0
    for (let depth = 1; depth <= 20; depth++) {
      const before = driver.head()
      // One block in the place of `depth`: shorter, but for depth 1.
      await driver.fork(depth)
      forks += 1
      if (random.chance(0.3)) await pair.mine(10)
      if (random.chance(0.4)) {
        // And back, all of the old branch at once.
        await driver.choose(before.hash)
        forks += 1
      }
      // Longer than it was, so that what is final stays below every fork.
      for (let more = depth + random.below(4); more > 0; more--) await pair.mine(20)
    }
    await settle(pair, 'reorgs', { forks, deepest: 20 })
    expect((await pair.sidecar.status()).reorgs).toBeGreaterThanOrEqual(10)
  })

  test('the sidecar is killed, and comes back five minutes of blocks later', async () => {
    await using pair = await startPair({ seed })
    const { driver, sidecar } = pair
    for (let block = 0; block < 10; block++) await pair.mine(30)
    await sidecar.untilDurable(driver.head())
    await sidecar.kill()
    for (let block = 0; block < 300; block++) {
      await pair.mine(10)
      if (block % 50 === 49) await driver.fork(3)
    }
    const began = performance.now()
    await sidecar.start()
    await sidecar.untilDurable(driver.head(), 120_000)
    await settle(pair, 'sidecar killed', { away: 300, caughtUpInMs: Math.round(performance.now() - began) })
  })

  test('the sidecar is killed in the middle of reorgs, again and again', async () => {
    await using pair = await startPair({ seed })
    const { driver, sidecar } = pair
    for (let round = 0; round < 8; round++) {
      for (let block = 0; block < 6; block++) await pair.mine(20)
      const killing = sidecar.kill()
      const before = driver.head()
      await driver.fork(5)
      await killing
      const starting = sidecar.start()
      await driver.choose(before.hash)
      await pair.mine(10)
      await starting
    }
    await settle(pair, 'sidecar killed in reorgs', { kills: 8 })
  })

  test('the node is killed and comes back with less than it had', async () => {
    await using pair = await startPair({ seed })
    const { node, driver, sidecar } = pair
    const lost: number[] = []
    for (let round = 0; round < 4; round++) {
      for (let block = 0; block < 12; block++) await pair.mine(20)
      if (round % 2 === 1) await driver.fork(4)
      await sidecar.untilDurable(driver.head())
      await node.kill()
      await node.start()
      const kept = (await pair.sidecar.status()).durable!.number
      const has = await fetch(node.rpcUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] }),
      })
      lost.push(kept - Number(((await has.json()) as { result: string }).result))
      await driver.repeat()
      await sidecar.untilDurable(driver.head(), 120_000)
    }
    await settle(pair, 'node killed', { kills: 4, blocksTheNodeHadLost: lost })
  })

  test('a consumer that never acknowledges holds back the height, and nothing else', async () => {
    await using pair = await startPair({ seed, flags: ['--exex.evict-after-blocks', '40'] })
    const { node, driver, sidecar } = pair
    using silent = openRawConsumer(node.exexAddress, 'silent')
    for (let block = 0; block < 38; block++) await pair.mine(10)
    await sidecar.untilDurable(driver.head())
    const held = async () => Number((await finishedHeightOf(node.exexAddress))?.number ?? 0)
    const before = await held()
    // The sidecar has all of it durable, and 6 blocks are final.
    expect(before).toBe(0)
    for (let block = 0; block < 60; block++) await pair.mine(10)
    const head = driver.head()
    await sidecar.untilDurable(head)
    await expect.poll(() => silent.tip(), { timeout: 20_000 }).toBe(head.number)
    // It is evicted; the height then follows the sidecar's.
    await expect.poll(held, { timeout: 20_000 }).toBe(Number(head.number) - finalityDepth)
    await settle(pair, 'consumer that never acknowledges', {
      heightHeldAt: before,
      heightAfterEviction: await held(),
      received: silent.notifications(),
    })
  })

  test('a consumer that takes one notification a minute', async () => {
    await using pair = await startPair({ seed, flags: ['--exex.ring-blocks', '64'] })
    const { node, driver, sidecar } = pair
    using slow = openRawConsumer(node.exexAddress, 'slow', { everyMs: 60_000 })
    for (let block = 0; block < 400; block++) {
      const due = performance.now() + 400
      await pair.mine(10)
      if (block % 80 === 79) await driver.fork(2)
      await delay(Math.max(0, due - performance.now()))
    }
    await sidecar.untilDurable(driver.head(), 120_000)
    expect(slow.isOpen()).toBe(true)
    await settle(pair, 'slow consumer', {
      received: slow.notifications(),
      at: Number(slow.tip()),
    })
  })
})
