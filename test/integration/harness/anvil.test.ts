import { describe, expect, test } from 'vitest'
import { startAnvil } from '../../../harness/anvil.ts'
import { createRpc } from '../../../harness/devnet/createRpc.ts'
import { HarnessError } from '../../../harness/errors.ts'

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

describe('startAnvil', () => {
  test('two starts have the same genesis and different ports', async () => {
    await using first = await startAnvil()
    await using second = await startAnvil()
    expect(second.rpcUrl).not.toBe(first.rpcUrl)
    const genesis = (url: string) =>
      createRpc(url).call<{ hash: string }>('eth_getBlockByNumber', ['0x0', false])
    expect((await genesis(second.rpcUrl)).hash).toBe((await genesis(first.rpcUrl)).hash)
  })

  test('mines nothing by itself', async () => {
    await using node = await startAnvil()
    const rpc = createRpc(node.rpcUrl)
    expect(await rpc.call('eth_blockNumber')).toBe('0x0')
    await rpc.call('evm_mine')
    expect(await rpc.call('eth_blockNumber')).toBe('0x1')
  })

  test('finalized trails the head by two epochs', async () => {
    await using node = await startAnvil({ slotsInAnEpoch: 3 })
    const rpc = createRpc(node.rpcUrl)
    await rpc.call('anvil_mine', ['0x14'])
    const finalized = await rpc.call<{ number: string }>('eth_getBlockByNumber', ['finalized', false])
    expect(Number(finalized.number)).toBe(20 - 6)
  })

  test('leaves no process behind, stopped or killed', async () => {
    const stopped = await startAnvil()
    await stopped.stop()
    expect(isAlive(stopped.pid)).toBe(false)
    const killed = await startAnvil()
    await killed.kill()
    expect(isAlive(killed.pid)).toBe(false)
    const ending = new AbortController()
    const aborted = await startAnvil({ signal: ending.signal })
    ending.abort()
    await aborted.ended
    expect(isAlive(aborted.pid)).toBe(false)
  })

  test('says why when the node does not come up', async () => {
    await using node = await startAnvil()
    const port = Number(new URL(node.rpcUrl).port)
    const failed = startAnvil({ port })
    await expect(failed).rejects.toThrow(HarnessError)
    await expect(failed).rejects.toMatchObject({ code: 'ANVIL_DIED' })
  })
})

test('an error of the node is typed and names the method', async () => {
  await using node = await startAnvil()
  const call = createRpc(node.rpcUrl).call('eth_sendRawTransaction', ['0x02'])
  await expect(call).rejects.toMatchObject({ code: 'RPC_FAILED' })
  await expect(call).rejects.toThrow(/eth_sendRawTransaction/)
})
