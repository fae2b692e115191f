/**
 * A real Chromium signs the demo user on, with JavaScript on and off, for each response mode, and lands back in the demo
 * application with tokens. Cookies, redirects, CSP and forms are the browser's own.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { type Quickstart, quickstartSchema } from '../../src/dev/quickstart.ts'
import { type Running, runStile } from '../harness/process.ts'
import { violationsOf } from './axe.ts'
import { browserSuite } from './chromium.ts'

browserSuite('signing on in Chromium', ({ withPage }) => {
  let directory: string
  let running: Running
  let facts: Quickstart

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stile-browser-'))
    running = runStile(['dev', '--data', directory, '--port', '0', '--json'])
    facts = quickstartSchema.parse(JSON.parse(await running.firstLine))
  })
  after(async () => {
    await running.stop()
    await rm(directory, { recursive: true, force: true })
  })

  async function fillIn(page: Page, password: string): Promise<void> {
    await page.getByLabel('Username').fill(facts.user.username)
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByRole('button', { name: 'Sign On' }).click()
  }

  /** Goes on from the page of the completed flow, by itself or by its link. */
  async function untilApplication(page: Page): Promise<void> {
    await page.waitForURL((url) => url.pathname.startsWith('/dev/app/'), { timeout: 10_000 })
  }

  for (const javaScriptEnabled of [true, false]) {
    const script = `JavaScript ${javaScriptEnabled ? 'on' : 'off'}`

    test(`${script}: a wrong password is explained, the right one leads to the application with tokens`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        const problems: string[] = []
        page.on(
          'console',
          (message) => message.type() === 'error' && !message.text().includes('400') && problems.push(message.text()),
        )
        await page.goto(`${facts.authUrl}/dev/app/${facts.webApp.clientId}`)
        assert.match(page.url(), /\/signon\/\?flowId=/)
        await fillIn(page, 'wrong')
        await page
          .getByText(/user ?name or password/i)
          .first()
          .waitFor()
        assert.equal(await page.getByLabel('Username').inputValue(), facts.user.username)
        assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '')
        await page.getByLabel('Password', { exact: true }).fill(facts.user.password)
        await page.getByRole('button', { name: 'Sign On' }).click()
        await untilApplication(page)
        await page.getByText('preferred_username').first().waitFor()
        assert.deepEqual(problems, [])
      }))

    test(`${script}: the second application signs on without a question`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        await page.goto(`${facts.authUrl}/dev/app/${facts.singlePageApp.clientId}`)
        await fillIn(page, facts.user.password)
        await untilApplication(page)
        const [cookie] = await page.context().cookies(`${facts.authUrl}/${facts.environmentId}/`)
        assert.equal(cookie?.name, 'ST')
        assert.equal(cookie?.httpOnly, true)
        await page.goto(`${facts.authUrl}/dev/app/${facts.webApp.clientId}`)
        await untilApplication(page)
        await page.getByText('preferred_username').first().waitFor()
      }))

    test(`${script}: form_post returns by a posted form`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        await page.goto(`${facts.authUrl}/dev/app/${facts.webApp.clientId}?response_mode=form_post`)
        await fillIn(page, facts.user.password)
        if (!javaScriptEnabled) await page.getByRole('button').click()
        await untilApplication(page)
        await page.getByText('preferred_username').first().waitFor()
      }))
  }

  test('implicit: tokens arrive in the fragment and are shown', () =>
    withPage({}, async (page) => {
      await page.goto(`${facts.authUrl}/dev/app/${facts.singlePageApp.clientId}?response_type=token%20id_token`)
      await fillIn(page, facts.user.password)
      await untilApplication(page)
      await page.getByText('preferred_username').first().waitFor()
    }))

  test('a flow opened in another browser is gone (I04)', () =>
    withPage({}, async (page) => {
      await page.goto(`${facts.authUrl}/dev/app/${facts.webApp.clientId}`)
      const address = page.url()
      await withPage({}, async (other) => {
        const answer = await other.goto(address)
        assert.equal(answer?.status(), 404)
        assert.equal(await other.getByLabel('Username').count(), 0)
      })
    }))

  test('what an address or a message says is not run, and the browser keeps nothing of a sign-on (W03, W17)', () =>
    withPage({}, async (page) => {
      let dialogs = 0
      page.on('dialog', (dialog) => {
        dialogs += 1
        void dialog.dismiss()
      })
      const hosted: string[] = []
      page.on('request', (request) => {
        if (request.isNavigationRequest() && !request.url().includes('/dev/app/')) hosted.push(request.url())
      })
      const kept = () => page.evaluate('[localStorage.length, sessionStorage.length, document.cookie]')
      await page.goto(`${facts.authUrl}/dev/app/${facts.webApp.clientId}`)
      const run = 'javascript:alert(1)'
      const markup = '<img src=x onerror=alert(1)>'
      const { href } = new URL(page.url())
      for (const more of [
        `#${run}`,
        `#${markup}`,
        `&next=${run}&redirect=${run}&target=${encodeURIComponent(markup)}`,
      ]) {
        await page.goto(href + more)
        await page.evaluate(`for (const each of ['${run}', '${markup}', { type: 'navigate', url: '${run}' }])
          window.postMessage(each, '*')`)
        assert.equal(await page.locator('img').count(), 0)
      }
      for (const sink of [`document.body.innerHTML = '<b>x</b>'`, `document.write('x')`])
        await assert.rejects(page.evaluate(`(() => { ${sink} })()`), /TrustedHTML/, sink)
      assert.deepEqual(await kept(), [0, 0, ''])
      await fillIn(page, 'wrong')
      await page
        .getByText(/user ?name or password/i)
        .first()
        .waitFor()
      assert.deepEqual(await kept(), [0, 0, ''])
      await page.getByLabel('Password', { exact: true }).fill(facts.user.password)
      await page.getByRole('button', { name: 'Sign On' }).click()
      await untilApplication(page)
      assert.ok(hosted.length > 3)
      for (const url of hosted) assert.doesNotMatch(url, /token=|code=|password|session=/i)
      assert.equal(dialogs, 0)
    }))

  test('a form of another site is refused (I05)', () =>
    withPage({}, async (page) => {
      await page.goto(`${facts.authUrl}/dev/app/${facts.webApp.clientId}`)
      const address = page.url()
      await page.route('http://evil.test/', (route) =>
        route.fulfill({
          contentType: 'text/html',
          body: `<form method="post" action="${address}"><input name="action" value="usernamePassword.check">
            <input name="username" value="${facts.user.username}"><input name="password" value="${facts.user.password}"></form>
            <script>document.forms[0].submit()</script>`,
        }),
      )
      await page.goto('http://evil.test/')
      await page.waitForURL((url) => url.pathname.includes('/signon/'))
      await page.goto(address)
      assert.equal(await page.getByLabel('Username').count(), 1, 'the flow still waits')
    }))

  test('axe finds nothing on the sign-on page, its error, and the page of the application', () =>
    withPage({}, async (page) => {
      await page.goto(`${facts.authUrl}/dev/app/${facts.webApp.clientId}`)
      const scan = async () => {
        assert.deepEqual(await violationsOf(page), [])
      }
      await scan()
      await fillIn(page, 'wrong')
      await page
        .getByText(/user ?name or password/i)
        .first()
        .waitFor()
      await scan()
      await page.getByLabel('Password', { exact: true }).fill(facts.user.password)
      await page.getByRole('button', { name: 'Sign On' }).click()
      await untilApplication(page)
      await scan()
    }))
})
