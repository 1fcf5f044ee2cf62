import { blake3 } from 'hash-wasm'

const LANES = 1024

/** Checksum of the accounts lattice hash, from all accounts at once: sixteen-bit sums, nothing kept. */
export async function latticeOfAccounts(accounts: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const sums = new Uint16Array(LANES)
  for (const [pubkey, value] of accounts) {
    // Stored: lamports 8, rent epoch 8, executable 1, owner 32, data. Hashed: lamports, data, executable, owner, key.
    const hashed = Buffer.concat([
      value.subarray(0, 8),
      value.subarray(49),
      value.subarray(16, 17),
      value.subarray(17, 49),
      Buffer.from(pubkey, 'hex'),
    ])
    const lanes = Buffer.from(await blake3(hashed, LANES * 16), 'hex')
    for (let lane = 0; lane < LANES; lane++) sums[lane]! += lanes.readUInt16LE(lane * 2)
  }
  const bytes = Buffer.alloc(LANES * 2)
  for (const [lane, sum] of sums.entries()) bytes.writeUInt16LE(sum, lane * 2)
  return Buffer.from(await blake3(bytes), 'hex')
}
