import { option, optional, section } from '../option.ts'
import { choice } from '../types/choice.ts'
import { duration } from '../types/duration.ts'
import { integer } from '../types/integer.ts'
import { identifier, modelName, path } from '../types/text.ts'
import { url } from '../types/url.ts'

export const embedder = section(
  'What texts are embedded with: documents, and the questions that people ask of them. Never transactions, and nothing of it decides.',
  {
    kind: option(choice(['hash', 'http']), {
      default: 'hash',
      meaning:
        'The built-in hash of words and their pieces, or a model behind an OpenAI-compatible API. A change embeds all documents again, in the background.',
    }),
    url: optional(url(['http', 'https']), {
      example: 'http://127.0.0.1:11434/v1',
      meaning: 'Root of an OpenAI-compatible API, under which /embeddings is asked.',
    }),
    model: optional(modelName(), {
      example: 'nomic-embed-text',
      meaning: 'Name of the model, as the endpoint knows it.',
    }),
    version: option(identifier(), {
      default: '1',
      meaning:
        'Changed by hand when the endpoint serves another model under the same name: all documents are embedded again.',
    }),
    dimensions: optional(integer({ min: 1, max: 16_384, unit: 'numbers' }), {
      example: 768,
      meaning: "Length of the model's vectors; every answer is checked for it.",
    }),
    keyFile: optional(path(), {
      example: 'secrets/embedder-key',
      meaning: 'File that holds the key sent to the endpoint as a bearer token.',
    }),
    batchTexts: option(integer({ min: 1, max: 2_048, unit: 'texts' }), {
      default: 32,
      meaning: 'Most texts of one request.',
    }),
    batchTokens: option(integer({ min: 512, max: 1_000_000, unit: 'tokens' }), {
      default: 8_192,
      meaning: 'Most tokens of one request, counted as characters / 3.',
    }),
    concurrency: option(integer({ min: 1, max: 64, unit: 'requests' }), {
      default: 2,
      meaning: 'Most requests at once.',
    }),
    timeout: option(duration({ min: 100, max: 600_000 }), {
      default: 30_000,
      meaning: 'Longest wait for an answer to be whole.',
    }),
    questionTimeout: option(duration({ min: 100, max: 60_000 }), {
      default: 2_000,
      meaning:
        'Longest that a question waits for its vector, retries and all; then it is answered without nearness in documents, and says so.',
    }),
    retries: option(integer({ min: 0, max: 20, unit: 'attempts' }), {
      default: 4,
      meaning: 'Attempts after the first, with waits that grow, or as long as the endpoint asks for.',
    }),
  },
)
