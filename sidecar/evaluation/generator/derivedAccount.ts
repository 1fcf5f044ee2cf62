import { hash } from 'node:crypto'
import { PublicKey } from '@solana/web3.js'
import { associatedTokenProgram, tokenProgram } from './instructions.ts'

/**
 * An owner, named by `name`, whose derived token account takes the first try to find: the program searches for it too, at
 * 1 500 compute units a try, and so all owners cost the same.
 */
export function derivedAccount(
  name: string,
  mint: Uint8Array,
): { readonly owner: Uint8Array; readonly address: Uint8Array } {
  const program = new PublicKey(associatedTokenProgram)
  for (let attempt = 0; ; attempt++) {
    const owner = hash('sha256', `${name} ${attempt}`, 'buffer')
    const [address, bump] = PublicKey.findProgramAddressSync([owner, tokenProgram, mint], program)
    if (bump === 255) return { owner, address: address.toBytes() }
  }
}
