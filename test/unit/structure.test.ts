import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

/**
 * Who may import whom. A place not named here may be imported by no other place; `root` is the composition: the files
 * directly in sidecar/, and the doors for people.
 */
const stages = ['sidecar/exex', 'sidecar/router', 'sidecar/svm', 'sidecar/findings', 'sidecar/watermark']
const allowed: Readonly<Record<string, readonly string[]>> = {
  config: [],
  vector: ['config'],
  'sidecar/notification': [],
  'sidecar/exex': ['sidecar/notification', 'config'],
  'sidecar/router': ['sidecar/notification', 'config', 'vector'],
  'sidecar/svm': ['sidecar/notification', 'config'],
  // After the outcome, for people: no stage that decides may see it.
  'sidecar/findings': ['sidecar/notification', 'sidecar/doors', 'config'],
  'sidecar/watermark': ['sidecar/notification', 'config'],
  // The outbox joins the store's queue to the vector store.
  'sidecar/outbox': ['sidecar/notification', 'sidecar/watermark', 'vector', 'config'],
  // What requests and refusals look like, at every door.
  'sidecar/doors': [],
  'sidecar/api': [
    'sidecar/notification',
    'sidecar/doors',
    ...stages,
    'sidecar/explain',
    'sidecar/mcp',
    'root',
    'vector',
    'config',
  ],
  // The doors above the doors: they see the view, or ask over HTTP; of the stages they know nothing.
  'sidecar/explain': ['sidecar/doors', 'sidecar/api', 'root', 'vector'],
  'sidecar/mcp': ['sidecar/explain', 'sidecar/findings', 'root', 'vector'],
  'sidecar/langchain': ['sidecar/explain', 'vector'],
  // Offline: it opens the stages one by one and holds what they say against what happened.
  'sidecar/evaluation': ['sidecar/notification', 'sidecar/exex', 'sidecar/router', 'sidecar/svm'],
  'sidecar/cli': [
    'sidecar/notification',
    ...stages,
    'sidecar/outbox',
    'sidecar/api',
    'sidecar/explain',
    'sidecar/mcp',
    'sidecar/evaluation',
    'root',
    'vector',
    'config',
    'harness',
  ],
  root: [
    'sidecar/notification',
    ...stages,
    'sidecar/outbox',
    'sidecar/api',
    'sidecar/cli',
    'vector',
    'config',
  ],
  // From outside: the wire's server door, and types of what crosses it.
  harness: ['sidecar/exex/server'],
}
/** Folders crossed only through their door from another top-level folder. */
const doors: Readonly<Record<string, string>> = {
  config: '#config',
  vector: '#vector',
  harness: '#harness',
  'sidecar/exex/server': '#exex/server',
}
const project = resolve(import.meta.dirname, '../..')
const files = ['sidecar', 'config', 'vector', 'harness'].flatMap(sourceFiles)

describe('structure', () => {
  test('every import is in the table', () => {
    expect(files.flatMap((file) => importsOf(file).flatMap((found) => problemOf(file, found)))).toEqual([])
  })

  test('folders are of the design, and none is a drawer for everything', () => {
    const folders = readdirSync(join(project, 'sidecar'), { withFileTypes: true })
    const names = folders.filter((entry) => entry.isDirectory()).map((entry) => `sidecar/${entry.name}`)
    expect(names.filter((name) => !(name in allowed))).toEqual([])
    expect(files.filter((file) => /(^|\/)(utils?|common|helpers?|misc)(\/|\.ts$)/.test(file))).toEqual([])
  })

  test('no file holds more than one thing: 450 lines at most', () => {
    const long = files.filter((file) => readFileSync(join(project, file), 'utf8').split('\n').length > 450)
    expect(long).toEqual([])
  })
})

type Import = { readonly specifier: string; readonly isDynamic: boolean }

function importsOf(file: string): Import[] {
  const text = readFileSync(join(project, file), 'utf8')
  const fixed = [
    ...text.matchAll(/^(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gms),
  ]
  const dynamic = [...text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)]
  return [
    ...fixed.map((match) => ({ specifier: (match[1] ?? match[2])!, isDynamic: false })),
    ...dynamic.map((match) => ({ specifier: match[1]!, isDynamic: true })),
  ]
}

function problemOf(file: string, { specifier, isDynamic }: Import): string[] {
  const target = targetOf(file, specifier)
  if (target === undefined) return []
  const from = placeOf(file)
  const to = placeOf(target)
  const problem = (why: string) => [`${file} imports ${specifier}: ${why}`]
  if (from === to) return specifier.startsWith('#') ? problem('its own folder through its door') : []
  const granted = allowed[from] ?? []
  const isGranted = granted.some((place) => (place === 'root' ? to === 'root' : inside(target, place)))
  if (!isGranted) return problem(`${from} may import ${granted.join(', ') || 'nothing of ours'}`)
  if (to === 'harness' && !isDynamic) return problem('the harness is loaded when called, by import()')
  const door = Object.entries(doors).find(([place]) => inside(target, place) && !inside(file, 'sidecar/exex'))
  const crosses = file.split('/')[0] !== target.split('/')[0]
  if (crosses && door && specifier !== door[1]) return problem(`cross through ${door[1]}`)
  return []
}

/** The project path an import leads to; undefined for packages. */
function targetOf(file: string, specifier: string): string | undefined {
  const door = Object.entries(doors).find(([, name]) => name === specifier)
  if (door) return `${door[0]}/index.ts`
  if (!specifier.startsWith('.')) return undefined
  return relative(project, resolve(project, dirname(file), specifier))
}

function placeOf(file: string): string {
  const [top, folder, name] = file.split('/')
  if (top !== 'sidecar') return top!
  return name === undefined ? 'root' : `sidecar/${folder}`
}

const inside = (file: string, place: string) => file.startsWith(`${place}/`)

function sourceFiles(folder: string): string[] {
  return readdirSync(join(project, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(project, join(entry.parentPath, entry.name)))
}
