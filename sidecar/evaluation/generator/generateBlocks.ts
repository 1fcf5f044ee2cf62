import { hash } from 'node:crypto'
import pino from 'pino'
import { blockFromJson } from '../../exex/jsonrpc/toBlock.ts'
import type { Block, BlockRef } from '../../notification/types.ts'
import { encodeAccount, plainAccount } from '../../svm/accountValue.ts'
import { decodeTransaction } from '../../svm/decodeTransaction.ts'
import { envelopeFacts } from '../../svm/envelopeFacts.ts'
import { createLiteSvm, type SvmProgram } from '../../svm/liteSvm.ts'
import { createLiteSvmExecutor } from '../../svm/liteSvmExecutor.ts'
import { readEnvelopes } from '../../svm/readEnvelopes.ts'
import type { SvmExecutor, SvmResult } from '../../svm/types.ts'
import { EvaluationError } from '../evaluationError.ts'
import type { LabelledBlock } from '../types.ts'
import { blockJson, type EthereumCall } from './blockJson.ts'
import { createTraffic } from './createTraffic.ts'
import { encodeTransaction } from './encodeTransaction.ts'
import { callWithText, limitUnits, transferLamports } from './instructions.ts'
import { solanaKey } from './keys.ts'
import type { PlannedEnvelope, WorldAction } from './plan.ts'
import { createServices, type Service, withPrograms } from './services.ts'

export type GenerateOptions = {
  /** Blocks to generate, 1 or more. */
  readonly blocks: number
  readonly seed: string
  /** The address that envelopes are sent to, `svm.router`. */
  readonly router: `0x${string}`
}

const prefix = Buffer.from('SVM')
const DEPOSIT = 0x81
const weiPerLamport = 1_000_000_000n
/** Who makes the world's actions on the Ethereum side. */
const world = new Uint8Array(20).fill(0x77)
/** Where an SPL token account keeps its amount. */
const TOKEN_AMOUNT = 64

/**
 * Blocks of Solana transactions with outcomes of a real VM and with known truth, the same for the same seed. Every
 * transaction is built, signed, put into an envelope, and run by the LiteSVM executor, whatever a router would do.
 *
 * Between two blocks the world acts, in a block of the VM that no router is shown: it fills and empties accounts as chance
 * has it. So nothing in a transaction tells how it ends, and the VM ends it for a reason of its own. Throws
 * EvaluationError `EVALUATE_TRUTH_BROKEN` if that is ever another end than the one the chances drawn mean.
 */
export async function* generateBlocks(options: GenerateOptions): AsyncGenerator<LabelledBlock> {
  const { seed, blocks } = options
  const services = createServices(seed, blocks)
  const logger = pino({ level: 'silent' })
  const { executor, needs } = await withPrograms(services, async (programs) => ({
    needs: measureNeeds(seed, services, programs),
    executor: await createLiteSvmExecutor({ programs, undoDepth: 0, worker: false }, { logger }),
  }))
  try {
    yield* run(options, executor, services, needs)
  } finally {
    executor.close()
  }
}

async function* run(
  { seed, blocks, router }: GenerateOptions,
  executor: SvmExecutor,
  services: readonly Service[],
  needs: ReadonlyMap<Service, number>,
): AsyncGenerator<LabelledBlock> {
  const tokensOf = (account: Uint8Array): bigint => {
    const { data } = executor.account(account)!
    return Buffer.from(data).readBigUInt64LE(TOKEN_AMOUNT)
  }
  const traffic = createTraffic(seed, services, {
    lamportsOf: (key) => executor.account(key)?.lamports ?? 0n,
    tokensOf,
    unitsNeeded: (service) => needs.get(service)!,
  })
  const nonces = new Map<string, number>()
  const call = (sender: Uint8Array, data: Uint8Array, valueWei = 0n): EthereumCall => {
    const name = Buffer.from(sender).toString('hex')
    const nonce = nonces.get(name) ?? 0
    nonces.set(name, nonce + 1)
    return { sender, nonce, to: router, valueWei, data }
  }
  const envelope = (
    { signers, instructions }: Pick<PlannedEnvelope, 'signers' | 'instructions'>,
    on: BlockRef,
  ) => Buffer.concat([prefix, encodeTransaction(signers, Buffer.from(on.hash.slice(2), 'hex'), instructions)])

  let parent: BlockRef = { number: 0n, hash: `0x${hash('sha256', `monmouth evaluate ${seed}`, 'hex')}` }
  /** The VM has a block of the world before each of the chain's: its numbers are its own. */
  let vmTip = parent

  const runInVm = async (block: Block): Promise<readonly SvmResult[]> => {
    const ref = { number: vmTip.number + 1n, hash: block.ref.hash }
    const envelopes = readEnvelopes(block, { router })
    const { results } = await executor.execute({ ...block, ref, parent: vmTip }, envelopes, [
      ...envelopes.keys(),
    ])
    vmTip = ref
    return results
  }
  const act = async (actions: readonly WorldAction[], place: string): Promise<void> => {
    const calls = actions.map((action) =>
      'depositTo' in action
        ? call(
            world,
            Buffer.concat([prefix, Buffer.of(DEPOSIT), action.depositTo]),
            action.lamports * weiPerLamport,
          )
        : call(world, envelope(action, vmTip)),
    )
    const { block, receipts } = blockJson(parent, calls, { congestion: 0, place })
    const results = await runInVm(blockFromJson(block, receipts))
    const failed = results.find(({ status }) => status === 'failed' || status === 'rejected')
    if (failed !== undefined) {
      throw broken(`action ${failed.transactionIndex} of the world ${place}`, 'to be executed', failed)
    }
  }

  await act(traffic.setUp(), 'before all')
  for (let number = 1; number <= blocks; number++) {
    const { actions, envelopes: planned, congestion } = traffic.plan(number)
    await act(actions, `before block ${number}`)
    const calls = planned.map((each) => call(each.sender, envelope(each, vmTip)))
    const { block: json, receipts } = blockJson(parent, calls, { congestion, place: 'traffic' })
    const block = blockFromJson(json, receipts)
    const results = await runInVm(block)
    const labels = planned.map(({ truth, succeeds, kind }, row) => {
      const result = results[row]!
      const succeeded = result.status === 'executed'
      if (result.transactionIndex !== row || result.status === 'rejected' || succeeded !== succeeds) {
        throw broken(`${kind} ${row} of block ${number}`, succeeds ? 'to be executed' : 'to fail', result)
      }
      return { row, succeeded, units: result.computeUnits, truth, group: kind }
    })
    const envelopes = readEnvelopes(block, { router })
    yield {
      block,
      envelopes: new Map([...envelopes].map(([row, each]) => [row, envelopeFacts(each)])),
      outcomes: results,
      labels,
    }
    parent = block.ref
  }
}

/** Compute units of an order to each service, as a VM of its own finds them. */
function measureNeeds(
  seed: string,
  services: readonly Service[],
  programs: readonly SvmProgram[],
): Map<Service, number> {
  const vm = createLiteSvm(programs)
  const payer = solanaKey(seed, 'scale')
  vm.write(payer.publicKey, encodeAccount({ ...plainAccount, lamports: 1_000_000_000n }))
  return new Map(
    services.map((service) => {
      const calls = Array.from({ length: service.calls }, () => callWithText(service.program, 'x'.repeat(16)))
      const pay = transferLamports(payer.publicKey, payer.publicKey, 1n)
      const bytes = encodeTransaction([payer], new Uint8Array(32), [limitUnits(1_000_000), ...calls, pay])
      const transaction = decodeTransaction(bytes)
      if ('rejected' in transaction) throw broken('the trial of a service', 'to be well formed', transaction)
      const result = vm.run(transaction, true)
      if (result.status !== 'executed') throw broken('the trial of a service', 'to be executed', result)
      return [service, result.computeUnits]
    }),
  )
}

function broken(what: string, expected: string, got: object): EvaluationError {
  const { status, reason, rejected } = got as { status?: string; reason?: string; rejected?: string }
  return new EvaluationError(
    'EVALUATE_TRUTH_BROKEN',
    `expected ${what} ${expected}, got ${status ?? 'rejected'}: ${reason ?? rejected ?? 'no reason'}`,
  )
}
