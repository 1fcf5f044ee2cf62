/** Of every tool: it changes nothing, and asking twice gives the same while the chain stands still. */
export const readOnly = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
} as const
