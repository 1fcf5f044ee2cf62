import { registerHooks } from 'node:module'
import { resolve as resolvePath } from 'node:path'
import { pathToFileURL } from 'node:url'

const project = resolvePath(import.meta.dirname, '../../..')

/**
 * From now on whoever imports a module of the project gets another one in its place; what the other imports itself was loaded
 * before. So a mutant is the same program, with one part of it replaced.
 */
export function replaceModule(path: string, replacement: string): void {
  const original = pathToFileURL(resolvePath(project, path)).href
  registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context)
      return found.url === original ? { ...found, url: replacement, shortCircuit: true } : found
    },
  })
}
