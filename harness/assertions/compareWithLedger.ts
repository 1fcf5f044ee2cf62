import { PublicKey } from '@solana/web3.js'
import { HarnessError } from '../errors.ts'
import type { Sidecar } from '../sidecar/startSidecar.ts'
import { type Ledger, readLedger } from './readLedger.ts'

/**
 * Asks the sidecar for every account that deposits or transfers have touched, and compares with the arithmetic.
 *
 * @param rpcUrl of the node, which must stand still meanwhile; the sidecar is at its head
 * @throws HarnessError `SIDECAR_DIVERGED`
 */
export async function compareWithLedger(sidecar: Sidecar, rpcUrl: string): Promise<Ledger> {
  const ledger = await readLedger(rpcUrl)
  const { durable, svm } = await sidecar.status()
  const problems: string[] = []
  if (durable?.hash !== ledger.head.hash)
    problems.push(
      `head: expected ${ledger.head.number} ${ledger.head.hash}, it is at ${JSON.stringify(durable)}`,
    )
  if (svm.accounts !== ledger.lamports.size)
    problems.push(`accounts: expected ${ledger.lamports.size}, it has ${svm.accounts}`)
  for (const [key, lamports] of ledger.lamports) {
    const address = new PublicKey(Buffer.from(key, 'hex')).toBase58()
    const { status, body } = await sidecar.get(`/accounts/${address}`)
    const has = status === 200 ? (body as { lamports: string }).lamports : `no account (${status})`
    if (has !== String(lamports)) problems.push(`${address}: expected ${lamports} lamports, it has ${has}`)
  }
  if (problems.length > 0)
    throw new HarnessError(
      'SIDECAR_DIVERGED',
      `expected ${sidecar.name} to agree with the ledger: ${problems.join('; ')}`,
    )
  return ledger
}
