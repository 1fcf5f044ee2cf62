import { option, optional, section } from '../option.ts'
import { duration } from '../types/duration.ts'
import { integer } from '../types/integer.ts'
import { modelName, path } from '../types/text.ts'
import { url } from '../types/url.ts'

export const chat = section(
  'A chat endpoint that words explanations. It never decides; without it the facts are all there is.',
  {
    url: optional(url(['http', 'https']), {
      example: 'http://127.0.0.1:11434/v1',
      meaning: 'Root of an OpenAI-compatible API, under which /chat/completions is asked.',
    }),
    model: optional(modelName(), {
      example: 'llama3.2',
      meaning: 'Name of the model, as the endpoint knows it.',
    }),
    keyFile: optional(path(), {
      example: 'secrets/chat-key',
      meaning: 'File that holds the key sent to the endpoint as a bearer token.',
    }),
    silence: option(duration({ min: 100, max: 600_000 }), {
      default: 30_000,
      meaning: 'Longest wait for the next word of an answer.',
    }),
    maxTokens: option(integer({ min: 16, max: 32_768, unit: 'tokens' }), {
      default: 600,
      meaning: 'Longest answer asked for, as the endpoint counts tokens.',
    }),
  },
)
