import type { FlagValues } from '#config'
import { ChatError } from '../explain/chatErrors.ts'
import { chatMessages, citedFacts } from '../explain/chatMessages.ts'
import type { Explanation } from '../explain/explainDecision.ts'
import { escapeUntrusted } from '../explain/markUntrusted.ts'
import { type ChatEndpoint, streamChat } from '../explain/streamChat.ts'
import { askSidecar } from './askSidecar.ts'
import { type CommandContext, prepare, writeJson } from './commandContext.ts'
import { ContextRefusedError } from './context.ts'
import { readChatEndpoint } from './doorSettings.ts'
import { exitCodes } from './exitCodes.ts'

const withoutEndpoint = 'No chat endpoint is configured (--chat-url and --model): these are the facts alone.'

/** Says why a transaction was decided as it was: first the facts of a running sidecar, then a model's wording of them, if one is configured. */
export async function explain(flags: FlagValues, context: CommandContext): Promise<number> {
  const { config, json } = await prepare('explain', flags, context)
  const { signal, stdout, stderr } = context
  const endpoint = await readChatEndpoint(config)
  const hash = encodeURIComponent(String(flags.transaction))
  const { status, body } = await askSidecar(config, `/explain/${hash}`, signal)
  if (status !== 200) {
    const { error } = body as { error: { code: string; message: string } }
    throw new ContextRefusedError(error.code, error.message)
  }
  const { model: _, ...explanation } = body as Explanation & { readonly model: string | null }
  if (!json) stdout.write(formatFacts(explanation))
  if (endpoint === undefined) {
    if (json) writeJson(stdout, { ...explanation, answer: null, note: withoutEndpoint })
    else stdout.write(`\n${withoutEndpoint}\n`)
    return exitCodes.ok
  }
  const answer = await readAnswer(
    explanation,
    endpoint,
    signal,
    json ? () => {} : (text) => stdout.write(text),
  )
  if (signal.aborted) return exitCodes.failed
  if (json) writeJson(stdout, { ...explanation, answer })
  if (answer.error === null) return exitCodes.ok
  stderr.write(`monmouth: ${answer.error.message}\n`)
  return exitCodes.failed
}

async function readAnswer(
  explanation: Explanation,
  endpoint: ChatEndpoint,
  signal: AbortSignal,
  write: (text: string) => void,
) {
  // Every line of it is marked, so that no word of a model can pass for one of ours.
  write(`\nIn the words of the model ${endpoint.model}, which decided nothing:\n  | `)
  let text = ''
  let error: { code: string; message: string } | null = null
  try {
    for await (const words of streamChat(endpoint, chatMessages(explanation), signal)) {
      text += words
      write(words.split('\n').map(escapeUntrusted).join('\n  | '))
    }
  } catch (thrown) {
    if (thrown instanceof ChatError) error = { code: thrown.code, message: thrown.message }
    else if (signal.aborted) error = { code: 'STOPPED', message: 'stopped while the model was answering' }
    else throw thrown
  }
  const citations = citedFacts(text, explanation.facts)
  write(`\n${error === null ? citationLine(citations) : 'The answer is not whole.'}\n`)
  return { by: 'model', model: endpoint.model, text, ...citations, error }
}

function citationLine({ cited, unknown }: ReturnType<typeof citedFacts>): string {
  const facts = cited.length === 0 ? 'It cites no fact: take it for what it is.' : `It cites ${list(cited)}.`
  return unknown.length === 0 ? facts : `${facts} There is no fact ${list(unknown)}.`
}

const list = (numbers: readonly number[]) => numbers.map((number) => `[${number}]`).join(' ')

function formatFacts({ facts, warnings }: Explanation): string {
  const lines = facts.map(({ number, text, citation }) => `[${number}] ${text}\n    (${citation})`)
  for (const warning of warnings) lines.push(`warning: ${escapeUntrusted(warning)}`)
  return `${lines.join('\n')}\n`
}
