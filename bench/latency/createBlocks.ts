import type { Block, BlockRef } from '#exex/server'
import { createRandom } from '#harness'
import { buildBlock } from '../../harness/feed/buildBlock.ts'
import { createSvmTraffic } from '../../harness/svm/createSvmTraffic.ts'

const router = '0x000000000000000000000000000000000053564d'

/** Makes blocks of so many transactions, a share of them SVM envelopes: the same seed, the same blocks. */
export function createBlocks(
  seed: string,
  { transactions, svmShare }: { readonly transactions: number; readonly svmShare: number },
): (parent: BlockRef) => Block {
  const traffic = createSvmTraffic(seed)
  const recent: Uint8Array[] = []
  let built = 0
  return (parent) => {
    const number = parent.number + 1n
    const random = createRandom(seed, `block ${built}`)
    const rows = Array.from({ length: transactions }, () => {
      if (recent.length === 0 || !random.chance(svmShare)) return {}
      const { data, valueWei } = traffic.next(random, recent)
      return { to: router, input: `0x${Buffer.from(data).toString('hex')}`, value: valueWei } as const
    })
    const timestamp = 1_700_000_000n + 12n * number
    const block = buildBlock({ parent, transactions: rows, timestamp, salt: `${built}` })
    built += 1
    recent.push(Buffer.from(block.ref.hash.slice(2), 'hex'))
    if (recent.length > 64) recent.shift()
    return block
  }
}
