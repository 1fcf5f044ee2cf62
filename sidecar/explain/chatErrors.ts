/** Why a chat endpoint gave no whole answer. */
export const chatErrorCodes = {
  CHAT_UNREACHABLE: 'nothing answers there',
  CHAT_REFUSED: 'it answered with an HTTP error',
  CHAT_NOT_UNDERSTOOD: 'what came is no chat completion',
  CHAT_FAILED: 'it reported an error while answering',
  CHAT_CUT: 'the answer broke off',
  CHAT_SILENT: 'it went silent',
  CHAT_TOO_LONG: 'the answer is longer than is taken',
} as const
export type ChatErrorCode = keyof typeof chatErrorCodes

/** A chat endpoint's failure, in words that never hold its key. */
export class ChatError extends Error {
  override readonly name = 'ChatError'
  readonly code: ChatErrorCode

  constructor(code: ChatErrorCode, endpoint: string, detail: string, cause?: unknown) {
    super(`chat endpoint ${endpoint}: ${chatErrorCodes[code]}: ${detail}`, { cause })
    this.code = code
  }
}
