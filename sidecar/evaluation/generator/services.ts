import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeAccount } from '../../svm/accountValue.ts'
import { encodeBase58 } from '../../svm/base58.ts'
import { createLiteSvm, type SvmProgram } from '../../svm/liteSvm.ts'
import { memoProgram } from './instructions.ts'
import { solanaKey } from './keys.ts'

/** A program that traffic calls: a copy of the memo program under a key of its own. */
export type Service = {
  readonly program: Uint8Array
  readonly kind: 'service' | 'drainer' | 'newcomer' | 'copycat'
  /** Blocks in which it is called: from the first, below the second. */
  readonly from: number
  readonly until: number
  /** Share of calls relative to the others of its kind. */
  readonly weight: number
  /** Probability that an order to it is paid, in an empty block. */
  readonly quality: (block: number) => number
  /** By how much of that a full block lowers it. */
  readonly sensitivity: number
  /** Calls in one order: what its compute units come from. */
  readonly calls: number
  /** First four characters of an order's text, by method, and the block from which the method is in use. */
  readonly methods: readonly { readonly name: string; readonly from: number }[]
}

/** Quality, calls and sensitivity to congestion of the services that are there from the beginning; the first is the best. */
const established = [
  { quality: 0.99, calls: 6, sensitivity: 0 },
  { quality: 0.97, calls: 20, sensitivity: 0.05 },
  { quality: 0.95, calls: 3, sensitivity: 0.3 },
  { quality: 0.9, calls: 32, sensitivity: 0.1 },
  { quality: 0.8, calls: 12, sensitivity: 0.5 },
  { quality: 0.6, calls: 24, sensitivity: 0.2 },
  { quality: 0.35, calls: 32, sensitivity: 0 },
  { quality: 0.1, calls: 16, sensitivity: 0 },
]
/** Of programs that turn bad half way, before and after. */
const drained = { before: 0.97, after: 0.08 }
const drainers = 3
/** Programs that come and go: every second one is a copycat of the best service. */
const newcomers = 24
const newcomer = { honest: 0.92, copycat: 0.1 }
const methodsOfService = 5

/** Every program of a chain of so many blocks. */
export function createServices(seed: string, blocks: number): readonly Service[] {
  const programOf = (name: string) => solanaKey(seed, `program ${name}`).publicKey
  const methodsOf = (name: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      name: `${name}${index}`.padStart(4, '_'),
      from: Math.floor((index * blocks) / count),
    }))
  const always = { from: 0, until: Number.POSITIVE_INFINITY }
  const services: Service[] = established.map(({ quality, ...rest }, index) => ({
    ...always,
    ...rest,
    program: programOf(`service ${index}`),
    kind: 'service',
    weight: 1 / (index + 1),
    quality: () => quality,
    methods: methodsOf(`s${index}`, methodsOfService),
  }))
  for (let index = 0; index < drainers; index++) {
    services.push({
      ...always,
      program: programOf(`drainer ${index}`),
      kind: 'drainer',
      weight: 1,
      quality: (block) => (block < blocks / 2 ? drained.before : drained.after),
      sensitivity: 0,
      calls: 24,
      methods: methodsOf(`d${index}`, 1),
    })
  }
  const best = services[0]!
  for (let index = 0; index < newcomers; index++) {
    const isCopycat = index % 2 === 1
    const from = Math.floor(blocks / 8 + (index * blocks * 7) / 8 / newcomers)
    services.push({
      program: programOf(`newcomer ${index}`),
      kind: isCopycat ? 'copycat' : 'newcomer',
      from,
      until: from + Math.max(3, Math.floor(blocks / 10)),
      weight: 1,
      quality: () => (isCopycat ? newcomer.copycat : newcomer.honest),
      sensitivity: 0,
      calls: isCopycat ? best.calls : 10,
      methods: isCopycat ? best.methods : methodsOf(`n${index}`, 1),
    })
  }
  return services
}

/**
 * Calls `use` with the services as programs to load: the memo program's own code, written to a file that lives as long as
 * the call.
 */
export async function withPrograms<T>(
  services: readonly Service[],
  use: (programs: readonly SvmProgram[]) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'monmouth-evaluate-'))
  try {
    const file = join(folder, 'service.so')
    writeFileSync(file, decodeAccount(createLiteSvm([]).read(memoProgram)!).data)
    return await use(services.map(({ program }) => ({ id: encodeBase58(program), file })))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
