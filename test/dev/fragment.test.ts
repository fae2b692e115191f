import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { demoStyle, fragmentScript } from '../../src/dev/demo-assets.ts'
import { renderAnswer, renderFragment } from '../../src/dev/demo-page.ts'
import { violationsOf } from '../browser/axe.ts'
import { browserSuite } from '../browser/chromium.ts'
import { type PageServer, servePages } from '../pages/page-server.ts'

browserSuite('demo application in Chromium', ({ withPage }) => {
  let server: PageServer
  before(async () => {
    server = await servePages(({ method, url, body }) => {
      for (const asset of [demoStyle, fragmentScript]) if (url === asset.path) return { status: 200, text: asset }
      if (method === 'GET' && url === '/callback') return { status: 200, html: renderFragment('/callback') }
      if (url !== '/callback') return undefined
      const parameters = Object.fromEntries(new URLSearchParams(body))
      const checks = [
        { passed: true, text: 'This.' },
        { passed: false, text: 'That.' },
      ]
      const common = {
        redeemed: { access_token: 'x'.repeat(400) },
        checks,
        startUrl: '/start',
        singlePage: true,
        signOffUrl: undefined,
      }
      return { status: 200, html: renderAnswer({ delivery: 'posted form', parameters, ...common }) }
    })
  })
  after(() => server.close())

  test('the fragment is handed to the application and taken out of the address', async () => {
    await withPage({}, async (page) => {
      await page.goto(`${server.origin}/callback#access_token=a.b.c&state=${encodeURIComponent(`"><b>&= ü`)}`)
      await page.getByRole('heading', { name: 'The application got its answer' }).waitFor()
      const posted = server.arrived.findLast(({ method }) => method === 'POST')
      assert.deepEqual(
        [...new URLSearchParams(posted?.body)],
        [
          ['access_token', 'a.b.c'],
          ['state', `"><b>&= ü`],
        ],
      )
      assert.equal(page.url(), `${server.origin}/callback`)
    })
  })

  test('without JavaScript, or without a fragment, the page says where the answer is', async () => {
    for (const javaScriptEnabled of [true, false]) {
      await withPage({ javaScriptEnabled }, async (page) => {
        await page.goto(`${server.origin}/callback${javaScriptEnabled ? '' : '#access_token=a'}`)
        assert.equal(await page.locator('h1').textContent(), 'The answer is in the address')
      })
    }
  })

  test('axe finds nothing', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await withPage({ colorScheme }, async (page) => {
        for (const fragment of ['', '#error=login_required&state=s']) {
          await page.goto('about:blank')
          await page.goto(`${server.origin}/callback${fragment}`)
          if (fragment) await page.getByRole('heading', { name: 'The application got an error' }).waitFor()
          assert.deepEqual(await violationsOf(page), [])
        }
      })
    }
  })
})
