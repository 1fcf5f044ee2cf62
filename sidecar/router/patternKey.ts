/**
 * A pattern is what the router learns about: who is called, and with which function. As bytes: contract or program (20),
 * selector or discriminator (4), domain (1). In memory it is seven words: five, one, and the domain alone in the last.
 * Words are little-endian views of the bytes, as on every platform Node is used on with LiteSVM or LanceDB.
 */
export const KEY_BYTES = 25
export const KEY_WORDS = 7

/**
 * Kinds of pattern, the last byte of the key. Without it an Ethereum call to the last 20 bytes of a program id could
 * write into that program's counts. Plain transfers share one pattern (one a recipient would flood the table), and so do
 * deposits and rejected envelopes, which call no program. The last two hold totals: the rate everything is shrunk to.
 */
export const Domain = {
  call: 0,
  program: 1,
  transfer: 2,
  creation: 3,
  deposit: 4,
  rejected: 5,
  allEvm: 6,
  allSvm: 7,
} as const
export type Domain = (typeof Domain)[keyof typeof Domain]

/** True where the outcomes counted are the SVM's, false where they are the EVM's. */
export function isSvmDomain(domain: number): boolean {
  return domain === Domain.program || (domain >= Domain.deposit && domain !== Domain.allEvm)
}

/** True where the pattern is one of someone's code, and so belongs in the vector store and in neighbourhoods. */
export function isProjectedDomain(domain: number): boolean {
  return domain <= Domain.creation
}

/** The id people see: 50 hex digits of the 25 key bytes found at `offset`. */
export function patternId(bytes: Uint8Array, offset = 0): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, KEY_BYTES).toString('hex')
}

/** Writes the key bytes of an id at `offset`; false when it is not 50 hex digits. */
export function writePatternId(id: string, into: Buffer, offset: number): boolean {
  return id.length === 2 * KEY_BYTES && into.write(id, offset, KEY_BYTES, 'hex') === KEY_BYTES
}
