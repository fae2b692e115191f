import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, startStile, type Stile } from '../harness/stile.ts'

suite('the hosted sign-on page', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  /** Begins a flow of the demo web application and returns the path of its sign-on page. */
  async function begin(browser: Browser, more: Readonly<Record<string, string>> = {}): Promise<string> {
    const { clientId, redirectUri } = stile.webApp
    const answer = await browser.authorize({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid',
      ...more,
    })
    assert.equal(answer.status, 302)
    const { pathname, search } = new URL(answer.headers.get('location') ?? '')
    return pathname + search
  }
  const post = (
    browser: Browser,
    page: string,
    form: Readonly<Record<string, string>>,
    headers = {},
  ): Promise<Answer> => browser.send(page, { method: 'POST', body: new URLSearchParams(form), headers })
  const credentials = () => ({
    action: 'usernamePassword.check',
    username: stile.user.username,
    password: stile.user.password,
  })
  const resumePath = (page: string) => page.replace('/signon/', '/as/resume')

  test('a wrong password is answered beside its field; what was typed stays, but never the password', async () => {
    const browser = new Browser(stile)
    const page = await begin(browser)
    const answer = await post(browser, page, { ...credentials(), password: 'tried-in-vain' })
    assert.equal(answer.status, 400)
    assert.match(answer.text, /id="password-error">The username or password is not right\.</)
    assert.ok(answer.text.includes(`value="${stile.user.username}"`))
    assert.doesNotMatch(answer.text, /tried-in-vain/)
  })

  test('A24: signing on goes by 303 to the page, on by itself to resume, and by 302 to the application', async () => {
    const browser = new Browser(stile)
    const page = await begin(browser)
    const signedOn = await post(browser, page, credentials())
    assert.equal(signedOn.status, 303)
    assert.equal(signedOn.headers.get('location'), stile.authUrl + page)
    const completed = await browser.send(page)
    assert.ok(completed.text.includes(`content="0;url=${stile.authUrl}${resumePath(page)}"`))
    const resumed = await browser.send(resumePath(page))
    assert.equal(resumed.status, 302)
    assert.ok(resumed.headers.get('location')?.startsWith(`${stile.webApp.redirectUri}?code=`))
  })

  test('coming back after that, a person is told that it is over and is sent nowhere', async () => {
    const browser = new Browser(stile)
    const page = await begin(browser)
    await post(browser, page, credentials())
    await browser.send(resumePath(page))
    const back = await browser.send(page)
    assert.equal(back.status, 404)
    assert.match(back.text, /This sign-on is over/)
    assert.doesNotMatch(back.text, /http-equiv|<a |<form/)
  })

  test('with a session only the password is asked for; "Not you?" forgets who it was, and the hint too', async () => {
    const browser = new Browser(stile)
    const first = await begin(browser)
    await post(browser, first, credentials())
    await browser.send(resumePath(first))
    const page = await begin(browser, { max_age: '0', login_hint: stile.user.username })
    const known = await browser.send(page)
    assert.match(known.text, /Not you\?/)
    assert.doesNotMatch(known.text, /name="username"/)
    const reset = await post(browser, page, { action: 'session.reset' })
    assert.equal(reset.status, 303)
    const unknown = await browser.send(page)
    assert.match(unknown.text, /name="username" type="text" autocomplete="username" required value=""/)
    assert.ok(!unknown.text.includes(`value="${stile.user.username}"`))
  })

  test('login_hint fills the username in, and ui_locales chooses the language before Accept-Language', async () => {
    const browser = new Browser(stile)
    const page = await begin(browser, { login_hint: '"><b>ada', ui_locales: 'xx de' })
    const { text } = await browser.send(page, { headers: { 'accept-language': 'en' } })
    assert.match(text, /<html lang="de" dir="ltr">/)
    assert.ok(text.includes('value="&quot;&gt;&lt;b&gt;ada"'))
  })

  test('A34: a login_hint is what is typed for somebody, and tells nobody whether they are there', async () => {
    const shown = async (hint: string) => {
      const browser = new Browser(stile)
      const { text } = await browser.send(await begin(browser, { login_hint: hint }))
      assert.ok(text.includes(`value="${hint}"`))
      return text.replaceAll(hint, 'HINT').replaceAll(/flowId=[0-9a-f-]{36}/g, 'FLOW')
    }
    assert.equal(await shown(stile.user.username), await shown('nobody@example.com'))
  })

  test('I05, I07, I25: a form of any other origin is refused and changes nothing', async () => {
    const browser = new Browser(stile)
    const page = await begin(browser)
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      assert.equal((await post(browser, page, credentials(), headers)).status, 403, JSON.stringify(headers))
    }
    assert.match((await browser.send(page)).text, /name="username"/)
    assert.equal((await post(browser, page, credentials(), { origin: stile.authUrl })).status, 303)
  })

  test('I04: in another browser there is nothing to see', async () => {
    const page = await begin(new Browser(stile))
    const answer = await new Browser(stile).send(page)
    assert.equal(answer.status, 404)
    assert.match(answer.text, /began in another browser/)
    assert.doesNotMatch(answer.text, /<form|Demo web application/)
  })

  test('I16-I18: every page carries the headers of pages', async () => {
    const browser = new Browser(stile)
    const page = await begin(browser)
    const unknownClient = `/${stile.environmentId}/as/authorize?client_id=${stile.environmentId}`
    for (const answer of [
      await browser.send(page),
      await new Browser(stile).send(page),
      await post(browser, page, { ...credentials(), password: 'x' }),
      await post(browser, page, credentials(), { origin: 'null', accept: 'text/html' }),
      await browser.send(unknownClient, { headers: { accept: 'text/html' } }),
    ]) {
      assert.match(answer.headers.get('content-type') ?? '', /^text\/html/)
      assert.match(answer.headers.get('content-security-policy') ?? '', /style-src 'self'.*frame-ancestors 'none'/)
      assert.equal(answer.headers.get('x-frame-options'), 'DENY')
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      assert.equal(answer.headers.get('cross-origin-opener-policy'), 'same-origin')
      assert.equal(answer.headers.get('referrer-policy'), 'same-origin')
      assert.ok(answer.headers.get('permissions-policy'))
    }
  })
})
