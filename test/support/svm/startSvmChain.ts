import type { PublicKey } from '@solana/web3.js'
import pino from 'pino'
import { afterAll, expect } from 'vitest'
import type { StateWrite } from '../../../sidecar/notification/stateWrite.ts'
import type { Block, BlockRef } from '../../../sidecar/notification/types.ts'
import { encodeAccount } from '../../../sidecar/svm/accountValue.ts'
import { createLiteSvmExecutor } from '../../../sidecar/svm/liteSvmExecutor.ts'
import { readEnvelopes } from '../../../sidecar/svm/readEnvelopes.ts'
import type { SvmExecutor, SvmOutcome, SvmState } from '../../../sidecar/svm/types.ts'
import { blockOf, type Call, refOf, router } from '../../unit/svm/svmBlocks.ts'

const logger = pino({ level: 'silent' })
const open: SvmExecutor[] = []
afterAll(() => {
  for (const executor of open) executor.close()
})

type Undone = { readonly block: BlockRef; readonly writes: readonly StateWrite[] }

/** An executor on a chain that a test grows block by block, and what a store would hold of it; closed with the tests of the file. */
export async function startSvmChain(
  options: { state?: SvmState; tip?: BlockRef; worker?: boolean; undoDepth?: number } = {},
) {
  const { state, tip = refOf(0n), worker = false, undoDepth = 64 } = options
  const executor = await createLiteSvmExecutor({ undoDepth, worker }, { logger, state })
  open.push(executor)
  const applied: (Undone & { outcome: SvmOutcome; block: BlockRef })[] = []
  let parent = tip
  const apply = async (block: Block, admitted?: readonly number[]): Promise<SvmOutcome> => {
    const envelopes = readEnvelopes(block, { router })
    const outcome = await executor.execute(block, envelopes, admitted ?? [...envelopes.keys()])
    applied.push({ block: block.ref, writes: outcome.writes, outcome })
    parent = block.ref
    // Whatever way a write came about, it is what the VM holds.
    for (const { table, key, after } of outcome.writes) {
      const account = executor.account(key)
      if (table === 'account')
        expect(after).toEqual(account === undefined ? undefined : encodeAccount(account))
    }
    return outcome
  }
  return {
    executor,
    applied,
    tip: () => parent,
    apply,
    /** The next block, with these calls. */
    next: (
      calls: readonly Call[],
      { branch = 'main', admitted }: { branch?: string; admitted?: number[] } = {},
    ) => apply(blockOf(refOf(parent.number + 1n, branch), parent, calls), admitted),
    undo(count: number) {
      const undone = applied.splice(applied.length - count, count).reverse()
      const last = applied.at(-1)?.block ?? tip
      executor.undo(undone, last)
      parent = last
    },
    /** What a store would give back. */
    stored(): SvmState {
      const tables = new Map<string, Map<string, { key: Uint8Array; value: Uint8Array }>>()
      for (const { writes } of applied) {
        for (const { table, key, after } of writes) {
          const rows = tables.get(table) ?? new Map()
          tables.set(table, rows)
          if (after === undefined) rows.delete(Buffer.from(key).toString('hex'))
          else rows.set(Buffer.from(key).toString('hex'), { key, value: after })
        }
      }
      return {
        rows: (table) => tables.get(table)?.values() ?? [],
        recentBlocks: applied.map(({ block }) => block),
        signatures: applied.flatMap(({ block, outcome }) =>
          outcome.signatures.map((signature) => ({ signature, block: block.number })),
        ),
      }
    },
  }
}

export type SvmChain = Awaited<ReturnType<typeof startSvmChain>>

export const lamportsOf = (chain: SvmChain, key: PublicKey): bigint | undefined =>
  chain.executor.account(key.toBytes())?.lamports
export const statuses = (outcome: SvmOutcome): string[] =>
  outcome.results.map(({ status, reason }) => (reason === undefined ? status : `${status}: ${reason}`))
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Every undo must restore the tables, so replaying the writes backwards is a check by itself. */
export function snapshot(chain: SvmChain): object {
  const { rows } = chain.stored()
  const table = (name: 'account' | 'svm') =>
    [...rows(name)].map(({ key, value }) => [hex(key), hex(value)]).sort((a, b) => (a[0]! < b[0]! ? -1 : 1))
  return { accounts: table('account'), svm: table('svm') }
}
