import { createPrivateKey, createPublicKey, hash, type KeyObject, sign } from 'node:crypto'

export type SvmKeypair = {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** Seed and public key, 64 bytes: what `Keypair.fromSecretKey` of `@solana/web3.js` takes. */
  readonly secretKey: Uint8Array
  /** 64 bytes. */
  readonly sign: (message: Uint8Array) => Uint8Array
}

/** PKCS #8 before the 32 bytes of an ed25519 seed. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The ed25519 key pair number `index` under `seed`, the same on every machine: its seed is sha256(seed ‖ index). */
export function deriveKeypair(seed: string | number, index: number | string): SvmKeypair {
  const secret = hash('sha256', `${seed}\0svm\0${index}`, 'buffer')
  const key: KeyObject = createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, secret]),
    format: 'der',
    type: 'pkcs8',
  })
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  return {
    publicKey,
    secretKey: Buffer.concat([secret, publicKey]),
    sign: (message) => sign(null, message, key),
  }
}
