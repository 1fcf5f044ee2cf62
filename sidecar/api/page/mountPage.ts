import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Context, Hono } from 'hono'

/** What the page is made of, and the type each is served as. Nothing else of the folder is served. */
const files: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'style.css': 'text/css; charset=utf-8',
  'main.js': 'text/javascript; charset=utf-8',
  'doors.js': 'text/javascript; charset=utf-8',
  'element.js': 'text/javascript; charset=utf-8',
  'search.js': 'text/javascript; charset=utf-8',
  'results.js': 'text/javascript; charset=utf-8',
  'row.js': 'text/javascript; charset=utf-8',
  'transaction.js': 'text/javascript; charset=utf-8',
  'wording.js': 'text/javascript; charset=utf-8',
  'graph.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
}

/**
 * Only what is served here runs, is shown or is asked; no text can become markup (`trusted-types 'none'`); no other page
 * can frame it.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const headers = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-cache',
}

/** The page for people at `/ui/`: plain files, as they lie in this folder. */
export function mountPage(app: Hono): void {
  app.get('/ui', (c) => c.redirect('ui/', 308))
  const serve = async (c: Context, file: string) => {
    const type = Object.hasOwn(files, file) ? files[file] : undefined
    if (type === undefined) return c.notFound()
    return c.body(await readFile(join(import.meta.dirname, file)), 200, { ...headers, 'content-type': type })
  }
  app.get('/ui/', (c) => serve(c, 'index.html'))
  app.get('/ui/:file', (c) => serve(c, c.req.param('file')))
}
