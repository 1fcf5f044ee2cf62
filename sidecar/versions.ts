import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** Versions that enter execution: another one may give another state, so a data directory is bound to them. */
export const versions: Readonly<Record<string, string>> = {
  litesvm: versionOf('litesvm'),
  /** Of the rules of `sidecar/svm`: raised with any change that gives another outcome for the same envelope. */
  'svm.rules': '1',
}

function versionOf(name: string): string {
  const main = require.resolve(name)
  const folder = main.slice(0, main.lastIndexOf(`node_modules/${name}/`) + `node_modules/${name}/`.length)
  return (require(`${folder}package.json`) as { version: string }).version
}
