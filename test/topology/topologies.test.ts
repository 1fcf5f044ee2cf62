import { describe, expect, test } from 'vitest'
import { checkTopology, until } from '../../harness/assertions/checkTopology.ts'
import { openTopology } from './openTopology.ts'

describe('topologies', () => {
  test('single: blocks and forks of every depth', async () => {
    await using topology = await openTopology('single')
    await topology.mine(10)
    await checkTopology(topology, { freshRun: false })
    for (const depth of [1, 2, 3, 5, 8]) {
      await topology.node.fork(depth)
      await topology.mine(depth)
    }
    await checkTopology(topology)
    expect((await topology.members.get('sidecar')!.sidecar.status()).reorgs).toBeGreaterThan(0)
  })

  test('fanOut: three hold the same, and one that is away holds back the height', async () => {
    await using topology = await openTopology('fanOut', { finalityDepth: 4 })
    await topology.mine(8)
    await checkTopology(topology, { freshRun: false })
    const third = topology.members.get('third')!.sidecar
    await third.stop()
    await topology.mine(12)
    await checkTopology(topology, { without: ['third'], freshRun: false })
    // The others hold block 20, and 16 is final.
    expect(Number((await topology.finishedHeight())?.number)).toBeLessThanOrEqual(8)
    await third.start()
    await checkTopology(topology)
    await until('the height to follow', async () => (await topology.finishedHeight())?.number === 16n)
  })

  test('failover: the second takes the consumer over, the first is fenced', async () => {
    await using topology = await openTopology('failover')
    await topology.mine(10)
    await checkTopology(topology, { freshRun: false })
    await topology.members.get('primary')!.sidecar.pause()
    await topology.join('standby')
    await topology.mine(5)
    await checkTopology(topology, { without: ['primary'] })
    // It wakes up, and is told that it is no longer the one.
    const primary = topology.members.get('primary')!.sidecar
    await primary.resume()
    await until('the first to be fenced', async () => /FENCED/.test(primary.logs()))
    await topology.mine(3)
    await checkTopology(topology, { without: ['primary'], freshRun: false })
  })

  test('restartMidReorg: killed while the chain changes branches', async () => {
    await using topology = await openTopology('restartMidReorg')
    const { sidecar } = topology.members.get('sidecar')!
    await topology.mine(12)
    for (const depth of [2, 5, 9]) {
      const killing = sidecar.kill()
      await topology.node.fork(depth)
      await killing
      const starting = sidecar.start()
      await topology.mine(depth + 1)
      await starting
    }
    await checkTopology(topology)
  })

  test('slowConsumer: the slow one is late, and neither wrong nor in the way', async () => {
    await using topology = await openTopology('slowConsumer')
    const [fast, slow] = [topology.members.get('fast')!, topology.members.get('slow')!]
    await slow.link.set({ bytesPerSecond: 3000, delayMs: 50 })
    await topology.mine(40, 20)
    await checkTopology(topology, { without: ['slow'], freshRun: false })
    const lag =
      (await fast.sidecar.status()).durable!.number - ((await slow.sidecar.status()).durable?.number ?? 0)
    expect(lag).toBeGreaterThan(0)
    await slow.link.restore()
    await checkTopology(topology)
  })

  test('nodeRestart: killed, and back with less than it had', async () => {
    await using topology = await openTopology('nodeRestart')
    for (let round = 0; round < 3; round++) {
      await topology.mine(8)
      await topology.node.kill()
      await topology.node.start()
      await topology.node.recover()
      await topology.mine(3)
      await checkTopology(topology, { freshRun: round === 2 })
    }
  })

  test('twoNodes: led to another node, on another fork', async () => {
    await using topology = await openTopology('twoNodes')
    const other = topology.nodes.get('other')!
    // The same empty blocks on both, then each its own.
    for (let block = 0; block < 5; block++) {
      await topology.node.mine()
      await other.mine()
    }
    expect((await topology.node.head()).hash).toBe((await other.head()).hash)
    await topology.mine(6)
    for (let block = 0; block < 9; block++) await other.mine()
    await checkTopology(topology, { freshRun: false })
    await topology.move('sidecar', 'other')
    await checkTopology(topology, { freshRun: false })
    await topology.move('sidecar', 'node')
    await topology.mine(2)
    await checkTopology(topology)
  })

  test('splitNetwork: each cut off in turn, by every kind of cut', async () => {
    await using topology = await openTopology('splitNetwork')
    await topology.mine(5)
    const [left, right] = [topology.members.get('left')!, topology.members.get('right')!]
    for (const [member, fault] of [
      [left, 'cut'],
      [right, 'stall'],
      [left, 'reset'],
      [right, 'cut'],
    ] as const) {
      await member.link[fault]()
      await topology.mine(4)
      await topology.node.fork(2)
      await topology.mine(2)
      const other = member === left ? 'left' : 'right'
      await checkTopology(topology, { without: [other], freshRun: false })
      await member.link.restore()
      await checkTopology(topology, { freshRun: false })
    }
    await checkTopology(topology)
  })

  test('rpcShim: by JSON-RPC alone', async () => {
    await using topology = await openTopology('rpcShim')
    await topology.mine(10)
    await topology.node.fork(4)
    await topology.mine(6)
    await topology.members.get('sidecar')!.link.reset()
    await topology.mine(3)
    await checkTopology(topology)
  })

  test('official: never wrong, gaps filled from JSON-RPC', async () => {
    await using topology = await openTopology('official')
    await topology.mine(6)
    await checkTopology(topology, { freshRun: false })
    await topology.node.fork(2)
    await topology.mine(4)
    await checkTopology(topology)
  })
})
