/** Why a chat endpoint gave no whole answer, and what to look at. */
const chatErrorCodes = {
  CHAT_UNREACHABLE: ['nothing answers there', 'See chat.url, and whether it runs.'],
  CHAT_REFUSED: ['it answered with an HTTP error', 'See chat.url, chat.model and chat.key_file.'],
  CHAT_NOT_UNDERSTOOD: [
    'what came is no chat completion',
    'chat.url is the root of an OpenAI-compatible API.',
  ],
  CHAT_FAILED: ['it reported an error while answering', 'Its own log may tell more; see chat.model.'],
  CHAT_CUT: ['the answer broke off', 'Ask again.'],
  CHAT_SILENT: ['it went silent', 'chat.silence is how long is waited.'],
  CHAT_TOO_LONG: ['the answer is longer than is taken', 'chat.max_tokens bounds it.'],
} as const
export type ChatErrorCode = keyof typeof chatErrorCodes

/** A chat endpoint's failure, in words that never hold its key. */
export class ChatError extends Error {
  override readonly name = 'ChatError'
  readonly code: ChatErrorCode

  constructor(code: ChatErrorCode, endpoint: string, detail: string, cause?: unknown) {
    const [meaning, remedy] = chatErrorCodes[code]
    super(`chat endpoint ${endpoint}: ${meaning}: ${detail}. ${remedy}`, { cause })
    this.code = code
  }
}
