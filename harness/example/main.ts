/**
 * Tests `consumer.py`, a consumer of the official service in another language: `node harness/example/main.ts [--seed S] [--node reth]`, with
 * `PYTHON` naming a Python that has grpcio and grpcio-tools (default python3).
 */
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Digest, type NodeKind, type Rpc, testConsumer } from '../index.ts'

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, node: { type: 'string', default: 'anvil' } },
})
const script = fileURLToPath(new URL('consumer.py', import.meta.url))

const report = await testConsumer({
  protocol: 'official',
  seed: values.seed,
  nodeKind: values.node as NodeKind,
  start: ({ stream, port }) => ({
    file: process.env.PYTHON ?? 'python3',
    args: [script, stream, String(port)],
  }),
  digest: async (port) => (await (await fetch(`http://127.0.0.1:${port}/digest`)).json()) as Digest,
  expected: digestOfChain,
  onLine: (line) => console.error(line),
})
console.log(JSON.stringify(report))
process.exit(0)

/** The same digest, from the node's own answers: all blocks from the first that the program was told of. */
async function digestOfChain(rpc: Rpc, { first, problem }: Digest): Promise<Digest> {
  const head = Number(await rpc.call<string>('eth_blockNumber'))
  const numbers = Array.from({ length: head - Number(first) + 1 }, (_, index) => Number(first) + index)
  const blocks = await rpc.batch<{ hash: string; transactions: unknown[] }>(
    numbers.map((number) => ({
      method: 'eth_getBlockByNumber',
      params: [`0x${number.toString(16)}`, false],
    })),
  )
  const digest = createHash('sha256')
  for (const { hash } of blocks) digest.update(Buffer.from(hash.slice(2), 'hex'))
  return {
    first: first!,
    number: head,
    hash: blocks.at(-1)!.hash,
    transactions: blocks.reduce((sum, { transactions }) => sum + transactions.length, 0),
    digest: digest.digest('hex'),
    problem: problem!,
  }
}
