import pino from 'pino'
import type { Identity } from '../../../sidecar/watermark/identity.ts'
import { refOf } from './chainModel.ts'

/** What test processes share with the tests that start them. */
export const silent = pino({ level: 'silent' })

export const identity: Identity = {
  chainId: 1337n,
  genesisHash: refOf(0, 'genesis').hash,
  start: 1n,
  settings: { 'svm.router': '0x53564d', 'learn.lag': '8' },
  digest: 'digest of the settings',
}
