import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTextHashEmbedder } from '../../../../vector/embed/textHashEmbedder.ts'

const embedder = createTextHashEmbedder()
const embed = async (text: string) => (await embedder.embed([text]))[0]!
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, place) => sum + value * b[place]!, 0)
const likeness = async (a: string, b: string) => dot(await embed(a), await embed(b))

describe('the text hash embedder', () => {
  test('gives the same bits for ever: a change here needs a new version', async () => {
    const digest = (vector: Float32Array) =>
      createHash('sha256').update(new Uint8Array(vector.buffer)).digest('hex').slice(0, 16)
    expect(embedder.id).toBe('text-hash-512/1')
    expect(digest(await embed('swapExactTokensForETH of the router 0x7a250d56'))).toBe('76e82e7b67039fb2')
    expect(digest(await embed('Überweisungen、送金 и переводы'))).toBe('dfbcdd3d912a7304')
  })

  test('has length 1 whatever the text, and one vector for each text, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }), async (texts) => {
        const vectors = await embedder.embed(texts)
        expect(vectors).toHaveLength(texts.length)
        for (const [index, vector] of vectors.entries()) {
          expect(vector).toHaveLength(embedder.dimensions)
          expect(Math.sqrt(dot(vector, vector))).toBeCloseTo(1, 5)
          expect(vector).toEqual(await embed(texts[index]!))
        }
      }),
    )
  })

  test('reads names of functions as words', async () => {
    const name = 'swapExactTokensForETH'
    expect(await likeness(name, 'swap exact tokens for eth')).toBeGreaterThan(0.8)
    expect(await likeness('SVM_ROUTER_ADDRESS', 'svm router address')).toBeGreaterThan(0.8)
    expect(await likeness(name, 'swap tokens')).toBeGreaterThan(
      (await likeness(name, 'approve spender')) + 0.3,
    )
  })

  test('a slip of the pen stays near, and inflections of a word', async () => {
    const far = await likeness('liquidation of a loan', 'transfer of tokens')
    expect(await likeness('liquidation of a loan', 'liqudation of a loan')).toBeGreaterThan(far + 0.3)
    expect(await likeness('liquidated loans', 'loan liquidations')).toBeGreaterThan(far + 0.3)
  })

  test('what two texts share in fillers counts little', async () => {
    const same = await likeness('what is the reason for this', 'what was the price of that')
    const meant = await likeness('the reason for this', 'a reason of that')
    expect(meant).toBeGreaterThan(same + 0.3)
  })

  test('addresses are alike only when they are the same', async () => {
    const address = `0x${'ab12'.repeat(10)}`
    const near = `0x${'ab12'.repeat(9)}ab13`
    expect(await likeness(address, address.toUpperCase().replace('0X', '0x'))).toBeCloseTo(1, 5)
    expect(Math.abs(await likeness(address, near))).toBeLessThan(0.1)
  })

  test('stops when told to', async () => {
    await expect(embedder.embed(['a'], AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  })
})
