import { readFile } from 'node:fs/promises'

/** A file of tokens or keys that cannot be used. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError'
  readonly code = 'SECRET_FILE'

  constructor(key: string, file: string, problem: string, cause?: unknown) {
    super(`${key}: expected a file with a line of text at ${file}, ${problem}.`, { cause })
  }
}

/**
 * Lines of a file, without empty ones and those that begin with `#`; at least one, each printable ASCII. Throws `SecretFileError`.
 * @param key of the option that names the file, for the message
 */
export async function readSecretLines(key: string, file: string): Promise<readonly string[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new SecretFileError(
      key,
      file,
      `it cannot be read (${(error as NodeJS.ErrnoException).code})`,
      error,
    )
  }
  const lines = text.split('\n').map((line) => line.trim())
  const kept = lines.filter((line) => line !== '' && !line.startsWith('#'))
  if (kept.length === 0) throw new SecretFileError(key, file, 'it holds none')
  // Headers refuse anything else, by quoting it: the secret would stand in their error.
  if (!kept.every((line) => /^[\x21-\x7e]+$/.test(line))) {
    throw new SecretFileError(
      key,
      file,
      'it holds something but printable ASCII without spaces: save it as plain text in UTF-8',
    )
  }
  return kept
}
