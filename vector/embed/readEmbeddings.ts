import { escapeText } from '../query/escapeText.ts'
import { EmbedderError } from './embedderError.ts'

/**
 * The vectors of an answer of `/v1/embeddings`, in the order of the texts, whatever the order they came in. Throws `EmbedderError`
 * `BAD_ANSWER` or `WRONG_DIMENSIONS`.
 */
export function readEmbeddings(
  answer: unknown,
  count: number,
  dimensions: number,
  where: string,
): readonly Float32Array[] {
  const data = isRecord(answer) ? answer.data : undefined
  if (!Array.isArray(data)) throw bad('{ data: […] }', describe(answer))
  if (data.length !== count) throw bad(`${count} embeddings`, `${data.length}`)
  const vectors = new Array<Float32Array | undefined>(count)
  for (const [at, item] of data.entries()) {
    const index: unknown = isRecord(item) ? item.index : undefined
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= count)
      throw bad(`an index from 0 to ${count - 1} in data[${at}]`, describe(index))
    if (vectors[index]) throw bad('every index once', `${index} twice`)
    vectors[index] = toVector((item as Record<string, unknown>).embedding, index)
  }
  // As many as texts, each index once: none is missing.
  return vectors as Float32Array[]

  function toVector(embedding: unknown, index: number): Float32Array {
    const vector = fromNumbers(embedding, index)
    if (vector.length !== dimensions) {
      throw new EmbedderError(
        'WRONG_DIMENSIONS',
        `embedder: expected vectors of ${dimensions} dimensions, ${where} gave ${vector.length}: set embedder.dimensions to what the ` +
          'model gives, or name the model that was meant',
        { facts: { expected: dimensions, came: vector.length } },
      )
    }
    let isZero = true
    for (const value of vector) {
      // After the cut to 32 bits, which may overflow.
      if (!Number.isFinite(value)) throw bad(`finite numbers in embedding ${index}`, `${value}`)
      if (value !== 0) isZero = false
    }
    if (isZero) throw bad(`a direction in embedding ${index}`, 'zeros only')
    return vector
  }

  function fromNumbers(embedding: unknown, index: number): Float32Array {
    if (!Array.isArray(embedding)) throw bad(`an array in embedding ${index}`, describe(embedding))
    const wrong = embedding.find((value) => typeof value !== 'number')
    if (wrong !== undefined) throw bad(`numbers in embedding ${index}`, describe(wrong))
    return Float32Array.from(embedding as number[])
  }

  function bad(expected: string, came: string): EmbedderError {
    return new EmbedderError('BAD_ANSWER', `embedder: expected ${expected} from ${where}, got ${came}`, {
      facts: { expected, came },
    })
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Kinds and names, not contents. */
function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object')
    return `an object with ${escapeText(Object.keys(value).slice(0, 5).join(', '), 80) || 'nothing'}`
  return typeof value === 'number' ? String(value) : `a ${typeof value}`
}
