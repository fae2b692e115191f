/**
 * The pages in a real browser: every state passes axe in both colour schemes, fits a narrow and a zoomed window, works
 * without JavaScript, and its forms go where they should and nowhere else.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { formPostPage } from '../../src/pages/form-post.ts'
import { pageHeaders } from '../../src/pages/headers.ts'
import { renderSignOnNotice } from '../../src/pages/sign-on-notice.ts'
import { renderSignOn } from '../../src/pages/sign-on.ts'
import { chooseLanguage, defaultLanguage, type Language } from '../../src/pages/texts/language.ts'
import { bringAxe, violationsOf } from '../browser/axe.ts'
import { browserSuite } from '../browser/chromium.ts'
import { type Arrived, type PageServer, servePages } from './page-server.ts'
import { samples, viewOf } from './samples.ts'

/** English read from right to left: what the layout does with a language of that direction. */
const mirrored: Language = { ...defaultLanguage, tag: 'ar', direction: 'rtl' }
const spoken = [
  [defaultLanguage, ''],
  [chooseLanguage('de', ''), ', German'],
  [mirrored, ', mirrored'],
] as const
/** The page goes on by itself; where it is only looked at it has to stay. */
const staying = (page: string) => page.replace(/<meta http-equiv="refresh"[^>]*>/, '')

browserSuite('pages in Chromium', ({ withPage }) => {
  let server: PageServer
  let elsewhere: PageServer
  const pages: Record<string, string> = {}

  const answer = ({ method, url }: Arrived) => {
    const { pathname, searchParams } = new URL(url, 'http://localhost')
    const html = pages[searchParams.get('page') ?? '']
    if (pathname === '/look' && html !== undefined) return { status: 200, html }
    if (pathname === '/signon/' && method === 'POST') return { status: 303, headers: { location: '/signon/?done=1' } }
    if (pathname === '/signon/' && searchParams.has('done')) {
      const notice = { kind: 'completed', applicationName: 'Lantern', resumeUrl: '/resume' } as const
      return {
        status: 200,
        html: renderSignOnNotice(notice, defaultLanguage),
        headers: pageHeaders({ formActions: [] }),
      }
    }
    if (pathname === '/signon/') {
      return {
        status: 200,
        html: renderSignOn(viewOf('USERNAME_PASSWORD_REQUIRED', { pageUrl: '/signon/' }), defaultLanguage),
      }
    }
    // The application, on another origin, sends people on to a third one: nothing an identity server could know.
    if (pathname === '/resume') return { status: 302, headers: { location: `${elsewhere.origin}/callback` } }
    if (pathname === '/home') return { status: 200, html: '<title>the application’s other origin</title>' }
    if (pathname === '/form-post') {
      const { html: posting, headers } = formPostPage(`${searchParams.get('to') ?? elsewhere.origin}/posted`, {
        code: 'c',
        state: `"><b>&'`,
        submit: 'x',
      })
      return { status: 200, html: posting, headers }
    }
    return undefined
  }

  before(async () => {
    server = await servePages(answer)
    elsewhere = await servePages(({ url }) =>
      url === '/callback'
        ? { status: 302, headers: { location: `${server.origin.replace('127.0.0.1', 'localhost')}/home` } }
        : { status: 200, html: '<title>the application</title>' },
    )
    for (const [language, suffix] of spoken) {
      for (const [name, page] of Object.entries(samples(language))) pages[name + suffix] = staying(page)
    }
    // Sends itself; it has a test of its own.
    for (const name of Object.keys(pages)) if (name.startsWith('form post')) delete pages[name]
  })
  after(async () => {
    await server.close()
    await elsewhere.close()
  })

  /** Everything the browser complains about, and every request to a host that is not ours. */
  const complaintsOf = (page: Page): readonly string[] => {
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => {
      if (!request.url().startsWith(server.origin)) complaints.push(request.url())
    })
    return complaints
  }
  const look = (page: Page, name: string) => page.goto(`${server.origin}/look?page=${encodeURIComponent(name)}`)

  test('axe finds nothing on any page, in the light and in the dark', async () => {
    await withPage({ colorScheme: 'light' }, async (page) => {
      await bringAxe(page)
      const complaints = complaintsOf(page)
      for (const name of Object.keys(samples())) {
        if (!(name in pages)) continue
        await look(page, name)
        await page.evaluate(`for (const details of document.querySelectorAll('details')) details.open = true`)
        assert.deepEqual(await violationsOf(page), [], name)
        // The markup is the same in the dark; only its colours are others.
        await page.emulateMedia({ colorScheme: 'dark' })
        assert.deepEqual(await violationsOf(page, ['color-contrast']), [], `${name}, dark`)
        await page.emulateMedia({ colorScheme: 'light' })
      }
      assert.deepEqual(complaints, [])
    })
  })

  test('axe finds nothing on a page that is read from right to left', async () => {
    await withPage({}, async (page) => {
      await bringAxe(page)
      for (const name of ['username and password, wrong', 'choose a device', 'agreement', 'consent']) {
        await look(page, `${name}, mirrored`)
        assert.deepEqual(await violationsOf(page), [], name)
      }
    })
  })

  test('nothing is cut off in 320 px, nor with text twice its size', async () => {
    await withPage({ viewport: { width: 320, height: 640 } }, async (page) => {
      // German, whose words are the longest.
      for (const name of Object.keys(pages).filter((key) => key.endsWith('German'))) {
        await look(page, name)
        for (const size of ['100%', '200%']) {
          await page.evaluate(`document.documentElement.style.fontSize = '${size}'`)
          const width = Number(await page.evaluate('document.documentElement.scrollWidth'))
          assert.ok(width <= 320, `${name} is ${width} px wide at ${size}`)
        }
      }
    })
  })

  test('the focus stands where something is to be done, and can be seen', async () => {
    await withPage({}, async (page) => {
      const focused = async (name: string) => {
        await look(page, name)
        assert.equal(await page.evaluate('getComputedStyle(document.activeElement).outlineWidth'), '3px', name)
        return page.evaluate('document.activeElement.id || document.activeElement.className')
      }
      assert.equal(await focused('username and password'), 'username')
      assert.equal(await focused('username and password, hint'), 'password')
      assert.equal(await focused('username and password, wrong'), 'password')
      assert.equal(await focused('username and password, locked'), 'alert')
      assert.equal(await focused('password must change, missed'), 'newPassword')
    })
  })

  for (const javaScriptEnabled of [true, false]) {
    test(`signing on ends at the application, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
      await withPage({ javaScriptEnabled }, async (page) => {
        await page.goto(`${server.origin}/signon/`)
        await page.getByLabel('Username').fill('ada')
        await page.getByLabel('Password', { exact: true }).fill('p&w')
        await page.getByRole('button', { name: 'Sign On', exact: true }).click()
        await page.waitForURL(/localhost:\d+\/home$/)
        const posted = server.arrived.findLast(({ method }) => method === 'POST')
        assert.equal(posted?.body, 'action=usernamePassword.check&username=ada&password=p%26w')
        // I07: under a stricter referrer policy this would be `null`, which is refused.
        assert.equal(posted?.headers.origin, server.origin)
        // A25: what the application learns of where people come from is the origin, never the flow.
        assert.doesNotMatch(
          elsewhere.arrived.findLast(({ url }) => url === '/callback')?.headers.referer ?? '',
          /signon/,
        )
      })
    })
  }

  test('C05: the answer is posted by itself, and "back" does not post it again', async () => {
    await withPage({}, async (page) => {
      await page.goto(`${server.origin}/look?page=gone`)
      await page.goto(`${server.origin}/form-post`)
      await page.waitForURL(`${elsewhere.origin}/posted`)
      const posted = elsewhere.arrived.findLast(({ method }) => method === 'POST')
      assert.deepEqual(
        [...new URLSearchParams(posted?.body)],
        [
          ['code', 'c'],
          ['state', `"><b>&'`],
          ['submit', 'x'],
        ],
      )
      await page.goBack()
      assert.equal(page.url(), `${server.origin}/look?page=gone`)
    })
  })

  test('C05: the answer reaches an application whose address is an IPv6 literal', async (context) => {
    const application = await servePages(
      () => ({ status: 200, html: '<title>the application</title>' }),
      '[::1]',
    ).catch(() => undefined)
    if (!application) return context.skip('this machine has no IPv6 loopback address')
    try {
      await withPage({}, async (page) => {
        const complaints: string[] = []
        page.on('console', (message) => complaints.push(message.text()))
        await page.goto(`${server.origin}/form-post?to=${application.origin}`)
        await page.waitForURL(`${application.origin}/posted`, { timeout: 5_000 })
        const posted = application.arrived.findLast(({ method }) => method === 'POST')
        assert.equal(new URLSearchParams(posted?.body).get('code'), 'c')
        assert.deepEqual(complaints, [])
      })
    } finally {
      await application.close()
    }
  })

  test('C05: without JavaScript its button posts it', async () => {
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${server.origin}/form-post`)
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.waitForURL(`${elsewhere.origin}/posted`)
    })
  })

  test('C05: the form of an answer may go nowhere else', async () => {
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${server.origin}/form-post`)
      const refused = page.waitForEvent('console')
      await page.evaluate(`document.forms[0].action = '/stolen'; document.forms[0].querySelector('button').click()`)
      assert.match((await refused).text(), /form-action/)
      assert.ok(!server.arrived.some(({ url }) => url === '/stolen'))
    })
  })

  test('a password that is shown is hidden again before it is sent', async () => {
    await withPage({}, async (page) => {
      await page.goto(`${server.origin}/signon/`)
      const password = page.locator('#password')
      await page.getByLabel('Show password').check()
      assert.equal(await password.getAttribute('type'), 'text')
      await page.getByLabel('Show password').uncheck()
      assert.equal(await password.getAttribute('type'), 'password')
      await page.getByLabel('Show password').check()
      await page.getByLabel('Username').fill('ada')
      await password.fill('p')
      const typeWhenSent = await page.evaluate(`
        document.forms[0].addEventListener('submit', (event) => event.preventDefault())
        document.forms[0].requestSubmit()
        document.querySelector('#password').type`)
      assert.equal(typeWhenSent, 'password')
    })
  })

  test('W01: hostile names stay text', async () => {
    const hostile = [
      '<img src=x onerror=alert(1)>',
      '"><script>alert(1)</script>',
      '</title><svg onload=alert(1)>',
      '</main></body><iframe src=javascript:alert(1)>',
      `' onfocus='alert(1)' autofocus='`,
    ]
    await withPage({}, async (page) => {
      let dialogs = 0
      page.on('dialog', (dialog) => {
        dialogs += 1
        void dialog.dismiss()
      })
      for (const text of hostile) {
        pages['hostile'] = renderSignOn(
          viewOf('PASSWORD_REQUIRED', {
            applicationName: text,
            user: { username: text, name: { formatted: text } },
            error: { field: 'password', text },
          }),
          defaultLanguage,
        )
        await look(page, 'hostile')
        assert.equal(await page.title(), `Error: Sign On – ${text}`)
        assert.equal(await page.locator('.brand p').textContent(), text)
        assert.equal(await page.locator('#password-error').textContent(), text)
        assert.equal(await page.locator('img, svg, iframe, script:not([src^="/assets/"])').count(), 0)
      }
      assert.equal(dialogs, 0)
    })
  })
})
