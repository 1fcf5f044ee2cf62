/** What happened in a topology, in order, for people who must find out why. */
export type Timeline = {
  note(what: string, facts?: Readonly<Record<string, unknown>>): void
  /** A line an event, seconds first. */
  print(): string
}

export function createTimeline(onLine?: (line: string) => void): Timeline {
  const began = performance.now()
  const lines: string[] = []
  return {
    note: (what, facts) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(3).padStart(9)
      const line = `${seconds}  ${what}${facts === undefined ? '' : ` ${JSON.stringify(facts, asText)}`}`
      lines.push(line)
      onLine?.(line)
    },
    print: () => lines.join('\n'),
  }
}

const asText = (_: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)
