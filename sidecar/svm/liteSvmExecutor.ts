import type { Logger } from 'pino'
import type { StateWrite } from '../notification/stateWrite.ts'
import type { BlockRef } from '../notification/types.ts'
import { createAccountLedger, LATTICE_KEY } from './accountLedger.ts'
import { decodeAccount } from './accountValue.ts'
import { ChainOrderError } from './errors.ts'
import { keyOf } from './keyOf.ts'
import { createLatticeHash } from './latticeHash.ts'
import { createLiteSvm, isProgramValue, type SvmProgram } from './liteSvm.ts'
import { createRecentBlocks } from './recentBlocks.ts'
import { runEnvelopes } from './runEnvelopes.ts'
import { createSignatureChecker } from './signatureChecker.ts'
import type { SvmExecutor, SvmState } from './types.ts'

export type LiteSvmExecutorOptions = {
  /** Programs beside LiteSVM's own (`svm.programs`). Default none. */
  readonly programs?: readonly SvmProgram[]
  /** Blocks that may be undone at once: how far block hashes and signatures are remembered beyond the window. */
  readonly undoDepth: number
  /**
   * Share the signature checks of a block with one worker thread: from the first block (true), never (false), or, by
   * default, once there was enough for its start to pay. Never changes a result.
   */
  readonly worker?: boolean
}

export type LiteSvmExecutorDeps = {
  readonly logger: Logger
  /** What an earlier run left; none for a fresh start. */
  readonly state?: SvmState | undefined
}

/** Key in table `svm` of the parent of the first block ever run: its hash may be named, but it was never applied. */
const ANCHOR_KEY = 'anchor'

/**
 * The embedded executor: a LiteSVM in this process, undone by pre-images, its accounts hashed as Solana hashes them.
 * @throws {ProgramLoadError} @throws {StoredStateError}
 */
export async function createLiteSvmExecutor(
  { programs = [], undoDepth, worker }: LiteSvmExecutorOptions,
  { logger, state }: LiteSvmExecutorDeps,
): Promise<SvmExecutor> {
  const vm = createLiteSvm(programs)
  const ledger = createAccountLedger(vm, await createLatticeHash(), state?.rows)
  let anchor = storedAnchor(state)
  const stored = state?.recentBlocks ?? []
  const follows = anchor !== undefined && stored[0]?.number === anchor.number + 1n
  const recent = createRecentBlocks(
    { undoDepth },
    {
      blocks: follows && anchor !== undefined ? [anchor, ...stored] : stored,
      signatures: state?.signatures ?? [],
    },
  )
  const checker = worker === false ? undefined : createSignatureChecker(logger, worker ? 0 : undefined)
  logger.info({ accounts: ledger.size(), programs: programs.length }, 'SVM ready')

  return {
    name: 'litesvm',
    reversible: true,
    async execute(block, envelopes, admitted) {
      const tip = recent.tip() ?? block.parent
      if (tip.hash !== block.parent.hash || tip.number !== block.parent.number) {
        throw new ChainOrderError({
          at: `block ${block.ref.number} ${block.ref.hash}`,
          expected: `${tip.number} ${tip.hash}`,
          got: `${block.parent.number} ${block.parent.hash}`,
        })
      }
      const anchorWrites: StateWrite[] = []
      if (anchor === undefined) {
        anchor = block.parent
        if (recent.tip() === undefined) recent.append(anchor)
        anchorWrites.push({
          table: 'svm',
          key: Buffer.from(ANCHOR_KEY),
          before: undefined,
          after: encodeRef(anchor),
        })
      }
      const run = runEnvelopes(block, envelopes, new Set(admitted), { vm, ledger, recent, checker })
      const writes = [...ledger.settle(run.touched), ...anchorWrites]
      recent.append(block.ref)
      return {
        results: run.results,
        writes,
        signatures: run.signatures,
        latticeHash: ledger.checksum(),
        accounts: ledger.size(),
        unspentWei: run.unspentWei,
      }
    },
    undo(undone, tip) {
      const values = new Map<string, Uint8Array | undefined>()
      let lattice: Uint8Array | undefined | null = null
      let programsChanged = false
      for (const { writes } of undone) {
        for (const { table, key, before, after } of writes.toReversed()) {
          if (table === 'account') programsChanged ||= isProgramValue(before) || isProgramValue(after)
          // The oldest block's pre-image is the last one seen, so it is the one that stays.
          if (table === 'account') values.set(keyOf(key), before)
          else if (table === 'svm' && keyOf(key) === LATTICE_KEY) lattice = before
          else if (table === 'svm' && keyOf(key) === ANCHOR_KEY) anchor = undefined
        }
      }
      recent.undoTo(tip)
      ledger.restore(values, lattice, programsChanged)
    },
    account(pubkey) {
      // A key of another length is no account's, and LiteSVM would abort the process over it.
      const value = pubkey.length === 32 ? vm.read(pubkey) : undefined
      return value === undefined ? undefined : decodeAccount(value)
    },
    close() {
      checker?.close()
    },
  }
}

function encodeRef(ref: BlockRef): Uint8Array {
  const bytes = Buffer.alloc(40)
  bytes.writeBigUInt64LE(ref.number)
  bytes.write(ref.hash.slice(2), 8, 'hex')
  return new Uint8Array(bytes)
}

function storedAnchor(state: SvmState | undefined): BlockRef | undefined {
  for (const { key, value } of state?.rows('svm') ?? []) {
    if (keyOf(key) !== ANCHOR_KEY) continue
    const bytes = Buffer.from(value)
    return { number: bytes.readBigUInt64LE(0), hash: `0x${bytes.toString('hex', 8, 40)}` }
  }
  return undefined
}
