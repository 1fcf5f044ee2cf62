import { createHash, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Metadata } from '@grpc/grpc-js'
import { ExExError } from '../errors.ts'
import type { ExExServerOptions, ServerToken } from './options.ts'

/** What a caller has shown itself to be: `consumerId` undefined means any. */
export type Caller = { readonly consumerId: string | undefined }

/** Checks a call's metadata; throws `ExExError` UNAUTHENTICATED. */
export type Authenticate = (metadata: Metadata) => Caller

/** Reads the tokens and returns the check. Without any token every caller is let in. */
export async function createAuthenticate(
  options: Pick<ExExServerOptions, 'tokens' | 'tokenFile'>,
): Promise<Authenticate> {
  const tokens = [
    ...(options.tokens ?? []),
    ...(options.tokenFile === undefined ? [] : await readTokens(options.tokenFile)),
  ]
  if (tokens.length === 0 && options.tokenFile === undefined) return () => ({ consumerId: undefined })
  const known = tokens.map(({ token, consumerId }) => ({ digest: digest(token), consumerId }))
  return (metadata) => {
    const [header] = metadata.get('authorization')
    const given = /^Bearer +(\S+)$/i.exec(String(header ?? ''))?.[1]
    const offered = digest(given ?? '')
    let caller: Caller | undefined
    // Every token is compared, in constant time each: how long it takes tells nothing of which one nearly matched.
    for (const { digest: expected, consumerId } of known) {
      if (timingSafeEqual(offered, expected) && given !== undefined) caller = { consumerId }
    }
    if (caller !== undefined) return caller
    throw new ExExError('UNAUTHENTICATED', {
      where: 'metadata authorization',
      expected: '`Bearer` and a token this server knows',
      actual: given === undefined ? 'no token' : 'a token it does not know',
    })
  }
}

/** Throws `ExExError` FORBIDDEN when the caller's token is bound to another consumer. */
export function checkConsumer(caller: Caller, consumerId: string): void {
  if (caller.consumerId === undefined || caller.consumerId === consumerId) return
  throw new ExExError('FORBIDDEN', {
    where: 'consumer id',
    expected: `${caller.consumerId}, which the token is bound to`,
    actual: consumerId,
  })
}

async function readTokens(file: string): Promise<ServerToken[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.trim())
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const colon = line.indexOf(':')
      return colon === -1
        ? { token: line }
        : { consumerId: line.slice(0, colon), token: line.slice(colon + 1) }
    })
}

const digest = (token: string): Buffer => createHash('sha256').update(token).digest()
