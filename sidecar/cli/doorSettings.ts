import type { Config } from '#config'
import type { DoorSettings } from '../api/app.ts'
import type { ChatEndpoint } from '../explain/streamChat.ts'
import { readSecretLines } from '../secretFile.ts'

/** What the HTTP doors are told beside the view: who may use `/mcp`, and who words explanations. */
export async function readDoorSettings(config: Config): Promise<DoorSettings> {
  const { tokenFile } = config.mcp
  return {
    mcp: { tokens: tokenFile === undefined ? [] : await readSecretLines('mcp.token_file', tokenFile) },
    chat: await readChatEndpoint(config),
  }
}

/** The configured chat endpoint; undefined without one. */
export async function readChatEndpoint({ chat }: Config): Promise<ChatEndpoint | undefined> {
  const { url, model, keyFile, silence, maxTokens } = chat
  if (url === undefined || model === undefined) return undefined
  const key = keyFile === undefined ? undefined : (await readSecretLines('chat.key_file', keyFile))[0]
  return { url, model, key, silenceMs: silence, maxTokens }
}
