import type { Problem } from '../../../sidecar/api/view.ts'
import type { Status } from '../../../sidecar/status.ts'
import type { Answer, Ended, Program } from './startProgram.ts'

export type HealthAnswer = { readonly healthy: boolean; readonly problems: readonly Problem[] }

/** The one JSON document on stdout; fails when there is more, or something else. */
export function documentOf<T>({ stdout, stderr }: Ended): T {
  const lines = stdout.split('\n').filter((line) => line !== '')
  if (lines.length !== 1)
    throw new Error(`expected one JSON document on stdout, got ${lines.length}: ${stdout}\n${stderr}`)
  return JSON.parse(lines[0]!) as T
}

/** What `--json` says of a failure. */
export function errorOf(ended: Ended): { readonly code: string; readonly message: string } {
  return documentOf<{ error: { code: string; message: string } }>(ended).error
}

export async function statusOf(program: Program): Promise<Status> {
  return (await program.get('/status')).body as Status
}

export const healthOf = (answer: Answer): HealthAnswer => answer.body as HealthAnswer

/** Waits until everything up to the block is durable. */
export async function untilDurable(program: Program, block: { hash: string }): Promise<Status> {
  const { body } = await program.until('/status', ({ body }) => (body as Status).durable?.hash === block.hash)
  return body as Status
}

/** What must be the same on every run over the same chain. */
export function reproducible(status: Status) {
  const { blocks, transactions, routes, svm, decisionsHash, reorgs, blocksReverted, head, durable } = status
  return { blocks, transactions, routes, svm, decisionsHash, reorgs, blocksReverted, head, durable }
}

/** All of a status that the clock has no part in. */
export function withoutSpeed(status: Status) {
  const {
    seconds: _,
    transactionsPerSecond: __,
    latencyMs: ___,
    cache: ____,
    rssBytes: _____,
    ...rest
  } = status
  return rest
}
