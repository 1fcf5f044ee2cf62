/**
 * BLAKE3's compression function for four blocks side by side, as a WebAssembly module written out by hand.
 *
 * A lattice hash is 2048 bytes of BLAKE3 output: 32 compressions that differ in a counter alone, so four of them fit
 * the lanes of a 128-bit register. The libraries at hand do them one by one and hand out a copy, which came to more
 * than the transaction it was for (`bench/micro/svm`). Everything here is straight-line code: no loop, no table.
 *
 * Exports: `memory` (one page); `compress(cv, block, counter, length, flags, out)`, which writes 64 bytes for each of
 * the counters `counter` to `counter + 3`, the chaining value being the first 32; `add(to, from)` and
 * `subtract(to, from)` over 1024 lanes of u16.
 */
export function assembleBlake3Module(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(TYPES, vector([functionType(6), functionType(2)])),
    ...section(FUNCTIONS, vector([[0], [1], [1]])),
    ...section(MEMORY, vector([[0, 1]])),
    ...section(
      EXPORTS,
      vector([
        [...name('memory'), 2, 0],
        [...name('compress'), 0, 0],
        [...name('add'), 0, 1],
        [...name('subtract'), 0, 2],
      ]),
    ),
    ...section(CODE, vector([compressBody(), laneBody(I16X8_ADD), laneBody(I16X8_SUB)])),
  ])
}

/** The first eight words of the state, and what a hash without key starts from. */
export const BLAKE3_IV = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
] as const

type Code = readonly number[]

const [TYPES, FUNCTIONS, MEMORY, EXPORTS, CODE] = [1, 3, 5, 7, 10] as const
const [I32, V128] = [0x7f, 0x7b] as const
const END = 0x0b
const ROUNDS = 7
/** How the message words are moved between rounds. */
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8] as const
/** State words each of a round's eight mixing steps works on: four columns, then four diagonals. */
const MIXED = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const

// Parameters of `compress`, then its locals: 16 words of state, 16 of message, four lanes each.
const [CV, BLOCK, COUNTER, LENGTH, FLAGS, OUT] = [0, 1, 2, 3, 4, 5] as const
const state = (word: number): number => 6 + word
const message = (word: number): number => 22 + word

const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)]
const I32X4_SPLAT = simd(0x11)
const I32X4_ADD = simd(0xae)
const I16X8_ADD = simd(0x8e)
const I16X8_SUB = simd(0x91)
const V128_XOR = simd(0x51)

const get = (local: number): Code => [0x20, ...unsigned(local)]
const set = (local: number): Code => [0x21, ...unsigned(local)]
const constant = (value: number): Code => [0x41, ...signed(value)]
/** Alignment is a hint, given as 1 byte; `offset` is added to the address on the stack. */
const at = (offset: number): Code => [0, ...unsigned(offset)]
const loadSplat = (address: number, offset: number): Code => [...get(address), ...simd(0x09), ...at(offset)]
const words = (values: readonly number[]): Code => [
  ...simd(0x0c),
  ...values.flatMap((value) => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24]),
]

function compressBody(): Code {
  const code: number[] = []
  for (let word = 0; word < 16; word++) code.push(...loadSplat(BLOCK, word * 4), ...set(message(word)))
  for (let word = 0; word < 8; word++) code.push(...loadSplat(CV, word * 4), ...set(state(word)))
  for (let word = 0; word < 4; word++) {
    code.push(...constant(BLAKE3_IV[word]! | 0), ...I32X4_SPLAT, ...set(state(8 + word)))
  }
  code.push(...get(COUNTER), ...I32X4_SPLAT, ...words([0, 1, 2, 3]), ...I32X4_ADD, ...set(state(12)))
  code.push(...words([0, 0, 0, 0]), ...set(state(13)))
  code.push(...get(LENGTH), ...I32X4_SPLAT, ...set(state(14)))
  code.push(...get(FLAGS), ...I32X4_SPLAT, ...set(state(15)))

  let order: readonly number[] = Array.from({ length: 16 }, (_, word) => word)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [step, [a, b, c, d]] of MIXED.entries()) {
      code.push(...mixHalf(a, b, c, d, order[step * 2]!, 16, 12))
      code.push(...mixHalf(a, b, c, d, order[step * 2 + 1]!, 8, 7))
    }
    order = PERMUTATION.map((word) => order[word]!)
  }
  for (let word = 0; word < 8; word++) {
    const high = state(word + 8)
    // The upper half first: the lower one overwrites nothing it still needs.
    code.push(...get(state(word)), ...get(high), ...V128_XOR, ...set(state(word)))
    code.push(...get(high), ...loadSplat(CV, word * 4), ...V128_XOR, ...set(high))
  }
  for (let word = 0; word < 16; word++) {
    for (let lane = 0; lane < 4; lane++) {
      code.push(...get(OUT), ...get(state(word)), ...simd(0x5a), ...at(lane * 64 + word * 4), lane)
    }
  }
  return body([[32, V128]], code)
}

/** a += b + m; d = (d ^ a) >>> right1; c += d; b = (b ^ c) >>> right2, the rotations being to the right. */
function mixHalf(
  a: number,
  b: number,
  c: number,
  d: number,
  word: number,
  right1: number,
  right2: number,
): Code {
  const [A, B, C, D] = [state(a), state(b), state(c), state(d)]
  return [
    ...[...get(A), ...get(B), ...I32X4_ADD, ...get(message(word)), ...I32X4_ADD, ...set(A)],
    ...[...get(D), ...get(A), ...V128_XOR, ...set(D), ...rotateRight(D, right1)],
    ...[...get(C), ...get(D), ...I32X4_ADD, ...set(C)],
    ...[...get(B), ...get(C), ...V128_XOR, ...set(B), ...rotateRight(B, right2)],
  ]
}

function rotateRight(local: number, bits: number): Code {
  if (bits % 8 === 0) {
    const lanes = Array.from({ length: 16 }, (_, byte) => (byte & ~3) | ((byte + bits / 8) & 3))
    return [...get(local), ...get(local), ...simd(0x0d), ...lanes, ...set(local)]
  }
  const right = [...get(local), ...constant(bits), ...simd(0xad)]
  const left = [...get(local), ...constant(32 - bits), ...simd(0xab)]
  return [...right, ...left, ...simd(0x50), ...set(local)]
}

/** 128 registers of 8 lanes, one after the other. */
function laneBody(operation: Code): Code {
  const code: number[] = []
  for (let offset = 0; offset < 2048; offset += 16) {
    code.push(...get(0), ...get(0), ...simd(0x00), ...at(offset), ...get(1), ...simd(0x00), ...at(offset))
    code.push(...operation, ...simd(0x0b), ...at(offset))
  }
  return body([], code)
}

const functionType = (parameters: number): Code => [0x60, parameters, ...Array(parameters).fill(I32), 0]
const name = (text: string): Code => [text.length, ...Buffer.from(text)]
const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content]
const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()]

function body(locals: readonly Code[], code: Code): Code {
  const content = [...vector(locals), ...code, END]
  return [...unsigned(content.length), ...content]
}

function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): Code {
  const rest = value >> 7
  const isLast = (rest === 0 && (value & 0x40) === 0) || (rest === -1 && (value & 0x40) !== 0)
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(rest)]
}
