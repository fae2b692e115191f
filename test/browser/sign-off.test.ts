/**
 * A real Chromium signs off, with JavaScript on and off: the question, the way back, the frames of other applications
 * (Front-Channel Logout 1.0), and the frame that tells an application of it (Session Management 1.0, rows I10, I29).
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { pkce } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { violationsOf } from './axe.ts'
import { browserSuite } from './chromium.ts'

interface Client {
  readonly id: string
  readonly origin: string
}

/** A page of an application that watches the session: what the frame says is kept in `answers`. */
const watchingPage = `<!doctype html><title>watching</title><iframe id="op"></iframe>
<script>
  window.answers = []
  addEventListener('message', ({ data, origin }) => answers.push([data, origin]))
  window.ask = (text) => document.querySelector('#op').contentWindow.postMessage(text, '*')
</script>`

browserSuite('signing off in Chromium', ({ withPage }) => {
  let stile: Stile
  let server: Server
  let beside: Server
  const arrived: string[] = []
  let one: Client
  let two: Client

  before(async () => {
    stile = await startStile()
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      const { url = '/' } = request
      if (url !== '/favicon.ico') arrived.push(`${request.headers.host?.split(':')[0]}${url}`)
      const body = url.startsWith('/watch') ? watchingPage : `<!doctype html><title>${url.split('?')[0]}</title>`
      response.writeHead(200, { 'content-type': 'text/html' }).end(body)
    }
    server = createServer(answer)
    beside = createServer(answer)
    for (const each of [server, beside]) {
      each.listen(0, '127.0.0.1')
      await once(each, 'listening')
    }
    one = await register('One', `http://localhost:${portOf(server)}`)
    two = await register('Two', `http://127.0.0.1:${portOf(server)}`)
  })
  after(async () => {
    for (const each of [server, beside]) {
      each.closeAllConnections()
      each.close()
    }
    await stile.close()
  })

  const portOf = (listening: Server) => (listening.address() as AddressInfo).port

  async function register(name: string, origin: string): Promise<Client> {
    const created = await stile.api('POST', '/applications', {
      name,
      enabled: true,
      type: 'SINGLE_PAGE_APP',
      protocol: 'OPENID_CONNECT',
      grantTypes: ['AUTHORIZATION_CODE'],
      responseTypes: ['CODE'],
      tokenEndpointAuthMethod: 'NONE',
      redirectUris: [`${origin}/cb`],
      postLogoutRedirectUris: [`${origin}/bye`],
      frontchannelLogoutUri: `${origin}/front`,
      frontchannelLogoutSessionRequired: true,
      opSessionCheckEnabled: true,
    })
    assert.equal(created.status, 201)
    const { id } = created.json
    return { id, origin }
  }

  /** Signs on at an application, and returns what it was told; in a browser that is signed on, silently. */
  async function signOn(
    page: Page,
    client: Client,
  ): Promise<{ readonly idToken: string; readonly sessionState: string }> {
    const { verifier, challenge } = pkce()
    const request = {
      client_id: client.id,
      response_type: 'code',
      redirect_uri: `${client.origin}/cb`,
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    }
    await page.goto(`${stile.issuer}/authorize?${new URLSearchParams(request)}`)
    if (!page.url().startsWith(client.origin)) {
      await page.getByLabel('Username').fill(stile.user.username)
      await page.getByLabel('Password', { exact: true }).fill(stile.user.password)
      await page.getByRole('button', { name: 'Sign On', exact: true }).click()
      await page.waitForURL(`${client.origin}/cb?*`)
    }
    const told = new URL(page.url()).searchParams
    const tokens = await fetch(`${stile.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: client.id,
        redirect_uri: `${client.origin}/cb`,
        code: told.get('code') ?? '',
        code_verifier: verifier,
      }),
    })
    const { id_token: idToken } = (await tokens.json()) as { readonly id_token: string }
    return { idToken, sessionState: told.get('session_state') ?? '' }
  }

  async function expectSignedOff(page: Page): Promise<void> {
    const { challenge } = pkce()
    const request = {
      client_id: one.id,
      response_type: 'code',
      redirect_uri: `${one.origin}/cb`,
      scope: 'openid',
      prompt: 'none',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    }
    await page.goto(`${stile.issuer}/authorize?${new URLSearchParams(request)}`)
    assert.equal(new URL(page.url()).searchParams.get('error'), 'login_required')
    assert.deepEqual(await page.context().cookies(`${stile.issuer}/`), [])
  }

  async function scan(page: Page): Promise<void> {
    assert.deepEqual(await violationsOf(page), [])
  }

  for (const javaScriptEnabled of [true, false]) {
    const script = `JavaScript ${javaScriptEnabled ? 'on' : 'off'}`

    test(`${script}: who is signed on is asked, says yes, and is signed off with every application`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        for (const client of [one, two]) await signOn(page, client)
        arrived.length = 0
        await page.goto(`${stile.issuer}/signoff`)
        await page.getByRole('heading', { name: 'Sign off?' }).waitFor()
        await page.getByText(stile.user.username).waitFor()
        if (javaScriptEnabled) await scan(page)
        assert.equal(arrived.length, 0)
        await page.getByRole('button', { name: 'Sign off', exact: true }).click()
        await page.getByRole('heading', { name: 'You are signed off' }).waitFor()
        await page.waitForLoadState('load')
        if (javaScriptEnabled) await scan(page)
        const fronts = arrived.filter((each) => each.includes('/front'))
        assert.deepEqual(fronts.map((each) => each.split('?')[0]).toSorted(), ['127.0.0.1/front', 'localhost/front'])
        for (const each of fronts) {
          const { searchParams } = new URL(`http://${each}`)
          assert.equal(searchParams.get('iss'), stile.issuer)
          assert.match(searchParams.get('sid') ?? '', /^[0-9a-f-]{36}$/)
        }
        await expectSignedOff(page)
      }))

    test(`${script}: with a hint nobody is asked; the frames come first, then the application`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        await signOn(page, two)
        const { idToken } = await signOn(page, one)
        arrived.length = 0
        const request = { id_token_hint: idToken, post_logout_redirect_uri: `${one.origin}/bye`, state: 's' }
        await page.goto(`${stile.issuer}/signoff?${new URLSearchParams(request)}`)
        await page.waitForURL(`${one.origin}/bye?state=s`, { timeout: 15_000 })
        const paths = arrived.map((each) => each.split('?')[0] ?? '')
        assert.deepEqual(paths.slice(0, 2).toSorted(), ['127.0.0.1/front', 'localhost/front'])
        assert.equal(paths[2], 'localhost/bye')
        await expectSignedOff(page)
      }))

    test(`${script}: after the question too, which no policy of its form stops`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        await signOn(page, one)
        const request = { client_id: one.id, post_logout_redirect_uri: `${one.origin}/bye` }
        await page.goto(`${stile.issuer}/signoff?${new URLSearchParams(request)}`)
        await page.getByRole('button', { name: 'Sign off', exact: true }).click()
        await page.waitForURL(`${one.origin}/bye`, { timeout: 15_000 })
      }))
  }

  test('I10: an image, a frame and a form of a foreign page sign nobody off', () =>
    withPage({}, async (page) => {
      await signOn(page, one)
      // Another origin of the same site, so that cookies travel with everything.
      await page.goto(`${one.origin}/evil`)
      await page.evaluate(`Promise.all(['img', 'iframe'].map((name) => new Promise((resolve) => {
        const element = document.createElement(name)
        element.onload = element.onerror = resolve
        element.src = '${stile.issuer}/signoff'
        document.body.append(element)
      })))`)
      await page.evaluate(`{
        document.body.innerHTML = '<form method="post" action="${stile.issuer}/signoff"></form>'
        document.forms[0].submit()
      }`)
      await page.waitForURL(`${stile.issuer}/signoff`)
      await page.getByRole('heading', { name: 'Sign off?' }).waitFor()
      await signOn(page, one)
      assert.match(page.url(), /\/cb\?code=/)
    }))

  /** Opens a page of an application with the frame in it. */
  async function watch(page: Page, origin: string): Promise<void> {
    await page.goto(`${origin}/watch`)
    await page.evaluate(`new Promise((resolve) => {
      const frame = document.querySelector('#op')
      frame.onload = resolve
      frame.src = '${stile.issuer}/checksession'
    })`)
  }

  /** What the frame answers to a question, and from where. */
  async function answerTo(page: Page, question: unknown): Promise<readonly string[]> {
    await page.evaluate(`ask(${JSON.stringify(question)})`)
    await page.waitForFunction('answers.length > 0', undefined, { timeout: 5000 })
    return page.evaluate<readonly string[]>('answers.splice(0)[0]')
  }

  test('unchanged, then changed, without a request to the server', () =>
    withPage({}, async (page) => {
      const { sessionState } = await signOn(page, one)
      await watch(page, one.origin)
      const requests: string[] = []
      page.on('request', (request) => requests.push(request.url()))
      const op = new URL(stile.issuer).origin
      const question = `${one.id} ${sessionState}`
      assert.deepEqual(await answerTo(page, question), ['unchanged', op])
      assert.deepEqual(await answerTo(page, `${two.id} ${sessionState}`), ['changed', op])
      for (const wrong of ['', 'x', `${one.id}`, `${question} x`, `${one.id} ${'a'.repeat(2000)}`, { a: 1 }, 7]) {
        assert.deepEqual(await answerTo(page, wrong), ['error', op], JSON.stringify(wrong))
      }
      const other = await page.context().newPage()
      await other.goto(`${stile.issuer}/signoff`)
      await other.getByRole('button', { name: 'Sign off', exact: true }).click()
      await other.getByRole('heading', { name: 'You are signed off' }).waitFor()
      assert.deepEqual(await answerTo(page, question), ['changed', op])
      assert.deepEqual(requests, [])
    }))

  test('I29: another origin learns nothing from a state that is not its own, and a flood is ignored', () =>
    withPage({}, async (page) => {
      const { sessionState } = await signOn(page, one)
      await watch(page, one.origin)
      assert.deepEqual((await answerTo(page, `${one.id} ${sessionState}`))[0], 'unchanged')
      // Of another site, which is not even shown the cookie; and of the same site, which is.
      for (const origin of [two.origin, `http://localhost:${portOf(beside)}`]) {
        await watch(page, origin)
        assert.deepEqual((await answerTo(page, `${one.id} ${sessionState}`))[0], 'changed', origin)
      }
      const question = JSON.stringify(`${one.id} ${sessionState}`)
      const count = await page.evaluate<number>(`(async () => {
        for (let at = 0; at < 1000; at += 1) ask(${question})
        await new Promise((resolve) => setTimeout(resolve, 500))
        return answers.length
      })()`)
      assert.ok(count > 0 && count <= 40, `${count} answers to a thousand questions`)
    }))
})
