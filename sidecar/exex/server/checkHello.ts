import { ExExError } from '../errors.ts'
import { FRAME_LIMIT_BYTES, FRAME_LIMIT_MINIMUM_BYTES, type HelloFrame, protocolVersions } from '../frames.ts'
import type { ChainSource } from './types.ts'

const CONSUMER_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** What the two agree on. */
export type Agreement = { readonly protocol: number; readonly maxFrameBytes: number }

/** Checks that client and server belong together; throws a fatal `ExExError` saying what does not. */
export function checkHello(
  hello: HelloFrame,
  source: Pick<ChainSource, 'chainId' | 'genesisHash' | 'hasLogs'>,
  limits: { readonly maxFrameBytes: number; readonly maxLocator: number },
): Agreement {
  const { min, max } = protocolVersions
  if (hello.protocolMax < min || hello.protocolMin > max || hello.protocolMin > hello.protocolMax) {
    throw new ExExError('VERSION_MISMATCH', {
      where: 'hello.protocol',
      expected: `a range that meets ${min} to ${max}`,
      actual: `${hello.protocolMin} to ${hello.protocolMax}`,
      advice: 'Upgrade the older side.',
    })
  }
  if (!CONSUMER_ID.test(hello.consumerId)) {
    throw new ExExError('BAD_CONSUMER_ID', {
      where: 'hello.consumer_id',
      expected: 'a letter or digit, then up to 63 letters, digits, dots, dashes or underscores',
      actual: JSON.stringify(hello.consumerId.slice(0, 80)),
    })
  }
  if (hello.chainId !== 0n && hello.chainId !== source.chainId) {
    throw new ExExError('CHAIN_MISMATCH', {
      where: 'hello.chain_id',
      expected: `${source.chainId}, the node's`,
      actual: `${hello.chainId}`,
      advice: 'Attach to a node of the right chain, or use another data directory.',
    })
  }
  if (hello.genesisHash !== undefined && hello.genesisHash !== source.genesisHash) {
    throw new ExExError('GENESIS_MISMATCH', {
      where: 'hello.genesis_hash',
      expected: `${source.genesisHash}, the node's`,
      actual: hello.genesisHash,
      advice: 'The devnet was made anew: use another data directory.',
    })
  }
  if (hello.profile === 'receipts' && !source.hasLogs) {
    throw new ExExError('PROFILE_UNAVAILABLE', {
      where: 'hello.profile',
      expected: 'transactions: this source has no logs',
      actual: hello.profile,
    })
  }
  if (hello.locator.length > limits.maxLocator) {
    throw new ExExError('BAD_REQUEST', {
      where: 'hello.locator',
      expected: `at most ${limits.maxLocator} entries`,
      actual: `${hello.locator.length}`,
    })
  }
  if (hello.maxFrameBytes !== 0 && hello.maxFrameBytes < FRAME_LIMIT_MINIMUM_BYTES) {
    throw new ExExError('BAD_REQUEST', {
      where: 'hello.max_frame_bytes',
      expected: `0 or at least ${FRAME_LIMIT_MINIMUM_BYTES}`,
      actual: `${hello.maxFrameBytes}`,
    })
  }
  return {
    protocol: Math.min(max, hello.protocolMax),
    maxFrameBytes: Math.min(hello.maxFrameBytes || FRAME_LIMIT_BYTES, limits.maxFrameBytes),
  }
}
