import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { done, startChatServer } from '../../support/doors/startChatServer.ts'
import { chromiumPath } from './findChromium.ts'
import { type Doors, injection, known, startDoors, token } from './startDoors.ts'

describe.skipIf(chromiumPath === undefined)('the page at /ui, in a real browser', () => {
  const resources = new AsyncDisposableStack()
  let doors: Doors
  let browser: Browser

  beforeAll(async () => {
    doors = resources.use(await startDoors())
    browser = await chromium.launch({
      executablePath: chromiumPath!,
      args: [
        // Where tests run as root the browser's own sandbox refuses to.
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        '--host-resolver-rules=MAP rebound.example 127.0.0.1',
      ],
    })
    resources.defer(() => browser.close())
  })
  afterAll(() => resources.disposeAsync())

  /** A page at an address of it, with everything it asked for and complained of. */
  async function open(address = '', options: BrowserContextOptions = {}, url = doors.url) {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    const asked: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('dialog', (dialog) => {
      complaints.push(`a dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    await page.goto(`${url}/ui${address === '' ? '' : `/${address}`}`)
    await page.getByRole('heading', { level: 1 }).waitFor()
    return { page, asked, complaints, [Symbol.asyncDispose]: () => context.close() }
  }
  const heading = (page: Page) => page.getByRole('heading', { level: 1 })
  const results = (page: Page) => page.getByRole('article')

  test('a search shows results with citation, score and finality, and asks nobody else', async () => {
    await using opened = await open()
    const { page, asked, complaints } = opened
    await page.getByRole('searchbox', { name: /^Search/ }).fill(`to:${token} kind:transaction`)
    await page.getByRole('button', { name: 'Search' }).click()
    await heading(page).filter({ hasText: 'Results' }).waitFor()
    const first = results(page).first()
    expect(await first.getByRole('link').first().textContent()).toMatch(/^tx 0x[0-9a-f]{64} block 16$/)
    expect(await first.getByRole('meter', { name: 'score' }).getAttribute('value')).toBe('1')
    expect(await first.textContent()).toContain('not final yet')
    const old = results(page).filter({ hasText: 'block 3' }).first()
    expect(await old.getByTitle('No reorg can take it back').textContent()).toBe('final')
    expect(await page.getByRole('status').first().textContent()).toMatch(/^\d+ rows, as of block 16$/)
    expect(asked.filter((each) => !each.startsWith(`${doors.url}/`))).toEqual([])
    expect(complaints).toEqual([])
  })

  test('filters narrow it; the address keeps the search, so that back and a copied link lead to it', async () => {
    await using opened = await open(`#?q=to:${token}&kind=transaction`)
    const { page } = opened
    await page.getByRole('combobox', { name: 'Outcome' }).selectOption('failed')
    await expect.poll(() => results(page).count()).toBe(3)
    await page.getByRole('textbox', { name: 'From block' }).fill('5')
    await page.getByRole('textbox', { name: 'To block' }).fill('9')
    await page.getByRole('button', { name: 'Search' }).click()
    await expect.poll(() => results(page).count()).toBe(1)
    expect(await results(page).textContent()).toContain('block 8')
    expect(page.url()).toContain('outcome=failed&since=5&until=9')
    await page.goBack()
    await expect.poll(() => results(page).count()).toBe(3)
    expect(await page.getByRole('textbox', { name: 'From block' }).inputValue()).toBe('')
    await page.reload()
    await expect.poll(() => results(page).count()).toBe(3)
    expect(await page.getByRole('combobox', { name: 'Outcome' }).inputValue()).toBe('failed')
  })

  test('a result leads to its neighbours, and a citation to the decision and why', async () => {
    await using opened = await open(`#?q=${known.transfer}`)
    const { page, complaints } = opened
    await page.getByRole('link', { name: `Neighbours of tx ${known.transfer} block 3` }).click()
    await heading(page).filter({ hasText: 'neighbours' }).waitFor()
    await page.getByRole('heading', { name: 'Rows like it' }).waitFor()
    expect(await results(page).count()).toBeGreaterThan(5)
    expect(await results(page).nth(1).textContent()).not.toContain(known.transfer)

    await page.getByRole('link', { name: `tx ${known.failed} block 4`, exact: true }).click()
    await heading(page).filter({ hasText: 'Left to the EVM' }).waitFor()
    const { body } = await doors.program.get(`/decisions/${known.failed}`)
    const [decision] = body as { rule: string; reason: string; confidence: number }[]
    const text = await page.getByRole('main').textContent()
    expect(text).toContain(decision!.reason)
    expect(text).toContain(`“${decision!.rule}”`)
    expect(text).toContain('outcome failed')
    expect(text).toContain('No chat endpoint is configured')
    expect(await page.getByRole('meter', { name: 'confidence' }).getAttribute('value')).toBe(
      String(decision!.confidence),
    )
    await page.getByText(/^The \d+ facts, numbered$/).click()
    expect(await page.locator('#fact-1').textContent()).toContain(known.failed)
    expect(complaints).toEqual([])
  })

  test('a transaction that a reorg moved shows where it was', async () => {
    await using opened = await open(`#/tx/${known.moved}`)
    const { page } = opened
    const section = page.locator('section', { has: page.getByRole('heading', { name: 'Reorgs moved it' }) })
    expect(await section.getByRole('listitem').allInnerTexts()).toEqual([
      expect.stringMatching(/^Block 16 not final yet 0x/),
      expect.stringMatching(/^Block 15 undone 0x/),
    ])
  })

  test('text that would command or become markup is text, wherever it is shown', async () => {
    for (const address of [`#?q=${known.injected}`, `#/tx/${known.injected}`]) {
      await using opened = await open(address)
      const { page, complaints, asked } = opened
      const quote = page.getByRole('blockquote').first()
      await quote.waitFor()
      expect(await quote.textContent()).toContain('<script>document.title')
      expect(await quote.textContent()).toContain('</untrusted-data>')
      expect(await page.locator('main script, main img, main iframe').count()).toBe(0)
      expect(await page.title()).not.toContain('owned')
      // What would turn the reading direction, or hide, is spelled out.
      expect(await page.getByRole('main').textContent()).not.toMatch(/[\u202e\u200b]/)
      expect(complaints).toEqual([])
      expect(asked.filter((each) => !each.startsWith(`${doors.url}/`))).toEqual([])
    }
  })

  test('a document that would become markup is text too, and has neighbours of its own', async () => {
    await doors.addDocument({
      title: '<img src=x onerror=alert(1)>',
      kind: 'note',
      text: `Zebra toll.\n${injection}`,
    })
    await doors.addDocument({ title: 'Plain', kind: 'note', text: 'The zebra toll is paid twice.' })
    await using opened = await open('#?q=zebra+toll&kind=document')
    const { page, complaints } = opened
    const card = results(page).filter({ hasText: 'onerror' })
    expect(await card.getByRole('blockquote').textContent()).toContain('<img src=x onerror=alert(1)>')
    expect(await card.getByRole('blockquote').textContent()).toContain('Zebra toll.\nIgnore')
    await card.getByRole('link', { name: /^Neighbours of document/ }).click()
    await heading(page).filter({ hasText: 'neighbours' }).waitFor()
    await results(page).filter({ hasText: 'paid twice' }).waitFor()
    expect(await page.locator('main script, main img').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('works by keyboard alone: slash to search, Enter, Tab to a citation, Enter; the heading has the focus', async () => {
    await using opened = await open()
    const { page } = opened
    await page.keyboard.press('/')
    await page.keyboard.type(known.transfer)
    await page.keyboard.press('Enter')
    await heading(page).filter({ hasText: 'Results' }).waitFor()
    const focused = () => page.evaluate('document.activeElement.textContent') as Promise<string>
    await expect.poll(focused).toBe('Results')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe(`tx ${known.transfer} block 3`)
    await page.keyboard.press('Enter')
    await heading(page).filter({ hasText: 'Left to the EVM' }).waitFor()
    await expect.poll(focused).toBe('Left to the EVM')
    expect(await page.title()).toContain('tx 0x7472616e')
    await page.goBack()
    await heading(page).filter({ hasText: 'Results' }).waitFor()
  })

  test('everything to fill in or press has a name, and headings come in order', async () => {
    for (const address of [`#?q=${known.transfer}&outcome=succeeded`, `#/tx/${known.moved}`]) {
      await using opened = await open(address)
      const { page } = opened
      const controls = page.locator(':is(input, select, button, summary, meter):visible')
      const count = await controls.count()
      expect(count).toBeGreaterThan(8)
      for (let i = 0; i < count; i++) {
        const snapshot = await controls.nth(i).ariaSnapshot()
        expect.soft(snapshot, `control ${i}`).toMatch(/"[^"]+"|: ./)
      }
      const levels = (await page.evaluate(
        '[...document.querySelectorAll("h1,h2,h3")].map((h) => Number(h.tagName[1]))',
      )) as number[]
      expect(levels[0]).toBe(1)
      for (const [i, level] of levels.entries()) expect(level - (levels[i - 1] ?? 1)).toBeLessThanOrEqual(1)
    }
  })

  describe.each(['light', 'dark'] as const)('in %s colours', (colorScheme) => {
    test('every text stands out from its ground by 4.5 to 1', async () => {
      for (const address of [`#?q=to:${token}&kind=transaction`, `#/tx/${known.rejected}`]) {
        await using opened = await open(address, { colorScheme })
        const faint = (await opened.page.evaluate(findFaintText)) as string[]
        expect(faint).toEqual([])
      }
    })

    test('on a narrow screen nothing is cut off, or scrolls sideways', async () => {
      for (const address of ['', `#/tx/${known.moved}`, `#?q=${known.injected}`]) {
        await using opened = await open(address, { colorScheme, viewport: { width: 340, height: 700 } })
        const [inner, outer] = (await opened.page.evaluate(
          '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
        )) as [number, number]
        expect(inner, address).toBeLessThanOrEqual(outer)
        // Its word stays whole, on one line.
        const button = await opened.page.getByRole('button', { name: 'Search' }).boundingBox()
        expect(button!.height).toBeLessThan(50)
      }
    })
  })

  test('words of a model appear as they come, marked as its own, with links to the facts they cite', async () => {
    let goOn = () => {}
    const paused = new Promise<void>((resolve) => {
      goOn = resolve
    })
    let isBroken = false
    await using chat = await startChatServer(async (exchange) => {
      exchange.open()
      await exchange.say('Left to the EVM [2] <b>be')
      if (isBroken) return void exchange.response.destroy()
      await paused
      await exchange.say('cause</b> [3] [42].')
      await exchange.send(done)
      exchange.response.end()
    })
    await using asked = await doors.another(['--set', `chat.url=${chat.url}`, '--set', 'chat.model=small'])
    await doors.settled(asked.program)
    await using opened = await open(`#/tx/${known.transfer}`, {}, asked.program.address)
    const { page, complaints } = opened
    const button = page.getByRole('button', { name: 'Put it in words' })
    expect(chat.exchanges).toHaveLength(0)
    await button.click()
    const words = page.locator('.words')
    await expect.poll(() => words.textContent()).toBe('Left to the EVM [2] <b>be')
    goOn()
    await page.getByText('It cites facts 2, 3. It also names 42').waitFor()
    expect(await words.textContent()).toBe('Left to the EVM [2] <b>because</b> [3] [42].')
    expect(await words.locator('b').count()).toBe(0)
    expect(await page.locator('.model').textContent()).toContain(
      'In the words of the model small, which decided nothing',
    )
    expect(await words.getByRole('button').allTextContents()).toEqual(['[2]', '[3]'])
    await words.getByRole('button', { name: '[2]' }).click()
    expect(await page.evaluate('document.activeElement.id')).toBe('fact-2')

    isBroken = true
    await button.click()
    await page.getByText(/^The answer is not whole: chat endpoint/).waitFor()
    expect(complaints).toEqual([])
  })

  test('a row shows what the graph has around it, and leads on from there', async () => {
    doors.feed.commit(40)
    await doors.settled()
    await doors.program.until(`/neighbours/${token}`, ({ body }) => (body as { edges: [] }).edges.length > 0)
    await using opened = await open(`#?q=${known.transfer}`)
    const { page, complaints } = opened
    await page.getByRole('link', { name: `Neighbours of tx ${known.transfer} block 3` }).click()
    const graph = page.locator('section', {
      has: page.getByRole('heading', { name: 'Around it in the graph' }),
    })
    await graph.getByText('is called by').first().waitFor()
    await graph
      .getByRole('link', { name: new RegExp(`^(contract|token) ${token}`) })
      .first()
      .click()
    await heading(page)
      .filter({ hasText: /^(Contract|Token)$/ })
      .waitFor()
    expect(await page.getByRole('main').textContent()).toContain(token)
    await page.getByRole('link', { name: 'Rows that name it' }).click()
    await heading(page).filter({ hasText: 'Results' }).waitFor()
    const entity = results(page).filter({ hasText: 'Entity' }).first()
    await entity.getByRole('link', { name: /^Neighbours of entity/ }).click()
    await heading(page)
      .filter({ hasText: /^(Contract|Token)$/ })
      .waitFor()
    expect(complaints).toEqual([])
  })

  test('a site that made its own name lead here is given nothing, to read or to change', async () => {
    const context = await browser.newContext()
    try {
      const page = await context.newPage()
      const response = await page.goto(`http://rebound.example:${new URL(doors.url).port}/ui/`)
      expect([response!.status(), await response!.json()]).toMatchObject([
        403,
        { error: { code: 'WRONG_HOST' } },
      ])
      const added = await page.evaluate(`fetch('/documents', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"title":"planted","kind":"note","text":"obey"}',
      }).then(({ status }) => status)`)
      expect(added).toBe(403)
    } finally {
      await context.close()
    }
    const { body } = await doors.program.get('/documents')
    expect(JSON.stringify(body)).not.toContain('planted')
  })

  test('what cannot be shown says why', async () => {
    for (const [address, says] of [
      [`#/tx/0x${'0'.repeat(64)}`, 'No decision on 0x0000'],
      [`#/row/${'0'.repeat(32)}`, 'is kept'],
      ['#?q=colour:red', "unknown field 'colour'"],
    ] as const) {
      await using opened = await open(address)
      expect(await opened.page.getByRole('main').textContent()).toContain(says)
    }
    await using gone = await doors.another([])
    await using opened = await open('', {}, gone.program.address)
    await gone.program.stop()
    await opened.page.getByRole('searchbox').fill('x')
    await opened.page.keyboard.press('Enter')
    await opened.page.getByText('The sidecar does not answer').first().waitFor()
  })

  test('only the files of the page are served, each with its type and a strict policy', async () => {
    const file = (path: string) => fetch(`${doors.url}${path}`, { redirect: 'manual' })
    expect((await file('/ui')).headers.get('location')).toBe('ui/')
    for (const [path, type] of [
      ['/ui/', 'text/html'],
      ['/ui/main.js', 'text/javascript'],
      ['/ui/style.css', 'text/css'],
    ] as const) {
      const { status, headers } = await file(path)
      expect(status, path).toBe(200)
      expect(headers.get('content-type'), path).toContain(type)
      expect(headers.get('x-content-type-options'), path).toBe('nosniff')
      const policy = headers.get('content-security-policy')!
      expect(policy, path).toContain("default-src 'none'")
      expect(policy, path).not.toMatch(/unsafe|\*|data:|https?:/)
    }
    for (const path of ['/ui/mountPage.ts', '/ui/..%2fapp.ts', '/ui/constructor', '/ui/none.js']) {
      expect((await file(path)).status, path).toBe(404)
    }
  })
})

/** Runs in the page: text whose contrast with what is behind it is below 4.5. Source, as the project's types know no browser. */
const findFaintText = `(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number)
  const luminance = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    return 0.2126 * R + 0.7152 * G + 0.0722 * B
  }
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor)
      if (color.length < 4 || color[3] > 0) return color
    }
    return [255, 255, 255]
  }
  const faint = []
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim() !== '')
    if (own.length === 0 || !element.checkVisibility()) continue
    const [a, b] = [luminance(channels(getComputedStyle(element).color)), luminance(ground(element))]
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    if (ratio < 4.5) faint.push(element.className + ' ' + ratio.toFixed(2) + ' ' + own[0].data.slice(0, 40))
  }
  return faint
})()`
