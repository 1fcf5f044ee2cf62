/** What can go wrong in the router. A closed list: callers act by code. */
export const routerErrorCodes = [
  'invalid option',
  'out of order',
  'context not prepared',
  'context row invalid',
  'state damaged',
  'blob damaged',
] as const
export type RouterErrorCode = (typeof routerErrorCodes)[number]

/** A broken promise by a caller, by the stored state, or by the vector store; never by a transaction. */
export class RouterError extends Error {
  override readonly name = 'RouterError'
  readonly code: RouterErrorCode
  readonly facts: Readonly<Record<string, unknown>>

  constructor(
    code: RouterErrorCode,
    problem: { expected: string; received: string; where: string; action: string },
    facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(
      `Router: ${code} in ${problem.where}: expected ${problem.expected}, received ${problem.received}. ${problem.action}`,
    )
    this.code = code
    this.facts = facts
  }
}
