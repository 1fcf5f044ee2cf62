/** Shorter runs are chance: of 256 random bytes, one in five hundred has a printable run of 12. */
const SHORTEST_RUN = 12

/** A payload in base64, as SVM envelopes may be: printable, and no text. */
const encoded = /^[\w+/=-]{24,}$/

const control = /[\u{FFFD}\p{Cc}]+/u

/**
 * The readable text inside calldata: every run of at least 12 characters that decodes as UTF-8 and is not base64, joined by
 * ` … `, empty when there is none. Whoever sent the transaction chose it: it is not escaped here, and never to be obeyed.
 * @param head leading calldata bytes, hex without prefix
 */
export function calldataText(head: string): string {
  return Buffer.from(head, 'hex')
    .toString('utf8')
    .split(control)
    .map((run) => run.trim())
    .filter((run) => Array.from(run).length >= SHORTEST_RUN && !encoded.test(run))
    .join(' … ')
}
