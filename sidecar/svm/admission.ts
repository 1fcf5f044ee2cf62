import { keyOf } from './keyOf.ts'
import { type GenesisKind, isProgramValue } from './liteSvm.ts'
import type { RecentBlocks } from './recentBlocks.ts'
import { isLoader, programLoaders, systemProgram } from './solanaPrograms.ts'
import type { RejectReason, SolanaTransaction } from './types.ts'

/** System instruction AdvanceNonceAccount: as the first instruction it makes the blockhash a stored nonce. */
const ADVANCE_NONCE = 4
/** A System instruction shorter than this names no owner: 4 bytes instruction, 32 bytes key. */
const SHORTEST_WITH_OWNER = 36

/** A key that the message marks writable, and its `keyOf`. */
export type WritableKey = { readonly pubkey: Uint8Array; readonly key: string }

export type AdmissionChecks = {
  readonly recent: RecentBlocks
  readonly genesis: ReadonlyMap<string, GenesisKind>
  /** The account as the block found it. */
  readonly read: (pubkey: Uint8Array, key: string) => Uint8Array | undefined
}

/**
 * Why a well-formed transaction may not run in block `number`; undefined when it may. The signature is not looked at
 * here: it is the dearest check and comes last, so every instance finds the same first reason.
 */
export function refusalOf(
  transaction: SolanaTransaction,
  signatureKey: string,
  writable: readonly WritableKey[],
  number: bigint,
  { recent, genesis, read }: AdmissionChecks,
): RejectReason | undefined {
  if (!recent.isRecent(keyOf(transaction.recentBlockhash), number)) return 'stale blockhash'
  if (recent.hasRun(signatureKey)) return 'duplicate'
  if (isDurableNonce(transaction)) return 'durable nonce'
  // A program can only call what the transaction lists, so without a loader in the list none can be reached.
  if (transaction.accountKeys.some((key) => isLoader(key))) return 'program deployment'
  if (transaction.instructions.some(givesAccountToLoader)) return 'program deployment'

  for (const { pubkey, key } of writable) {
    const kind = genesis.get(key)
    if (kind === 'fixed') return 'denied program'
    if (kind === 'readonly') continue
    if (kind === undefined && !isProgramValue(read(pubkey, key))) continue
    // A program that is called cannot be written, however it is marked. Keys are views made once: same object.
    if (!transaction.instructions.some(({ programId }) => programId === pubkey)) return 'program deployment'
  }
  return undefined
}

type Instruction = SolanaTransaction['instructions'][number]

const isSystem = ({ programId }: Instruction): boolean => Buffer.compare(programId, systemProgram) === 0

function isDurableNonce({ instructions }: SolanaTransaction): boolean {
  const first = instructions[0]
  if (first === undefined || first.data.length < 4 || !isSystem(first)) return false
  return first.data[0] === ADVANCE_NONCE && first.data[1] === 0 && first.data[2] === 0 && first.data[3] === 0
}

/** Create and assign name the new owner at different places; a loader's key in them can mean nothing else. */
function givesAccountToLoader(instruction: Instruction): boolean {
  if (instruction.data.length < SHORTEST_WITH_OWNER || !isSystem(instruction)) return false
  const data = Buffer.from(instruction.data.buffer, instruction.data.byteOffset, instruction.data.length)
  return programLoaders.some((loader) => data.includes(Buffer.from(loader)))
}
