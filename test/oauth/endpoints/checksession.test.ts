/**
 * Session Management 1.0 over HTTP: `session_state`, the state of the browser, and the frame; rows I16, I17,
 * I29. What the frame answers is shown in test/browser/session-management.test.ts.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { browserStateCookieName } from '../../../src/directory/op-browser-state.ts'
import { checkSessionScript } from '../../../src/pages/check-session-script.ts'
import { Browser, piFlowRequest, pkce } from '../../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../../harness/stile.ts'
import { authorizeBySignOnPage, codeRequest, flowOf, postedForm, submitSignOnPage, told } from '../journeys.ts'
import { expectStatus, nat, person, type Registered, register, spa } from '../registrations.ts'
import { registerForSignOff, signedOn } from './signed-on.ts'

suite('session management', () => {
  let stile: Stile
  let watching: Registered
  let other: Registered
  before(async () => {
    stile = await startStile()
    watching = await registerForSignOff(stile, { opSessionCheckEnabled: true })
    other = await registerForSignOff(stile)
  })
  after(() => stile.close())

  /** The value of the state that an answer sets; null: it ends it; undefined: it says nothing of it. */
  function stateSet(answer: Answer): string | null | undefined {
    const lines = answer.headers.getSetCookie().filter((line) => line.startsWith(`${browserStateCookieName}=`))
    assert.ok(lines.length <= 1)
    const [line] = lines
    if (line === undefined) return undefined
    const [pair = '', path, life, ...rest] = line.split('; ')
    assert.deepEqual([path, rest], [`Path=/${stile.environmentId}`, ['SameSite=Lax']], 'scripts can read it')
    return life === 'Max-Age=0' ? null : pair.slice(5)
  }

  /** A browser that keeps the state as well. */
  class WatchedBrowser extends Browser {
    state: string | undefined
    override async send(path: string, call: Parameters<Browser['send']>[1] = {}): Promise<Answer> {
      const cookies = [
        this.cookie,
        this.state === undefined ? undefined : `OPBS=${this.state}`,
        call.headers?.['cookie'],
      ]
      const headers = { ...call.headers, cookie: cookies.filter((each) => each !== undefined).join('; ') }
      const answer = await super.send(path, { ...call, headers })
      const set = stateSet(answer)
      if (set !== undefined) this.state = set ?? undefined
      return answer
    }
  }

  /** What the frame would answer to an application at an origin. */
  function judge(browser: WatchedBrowser, { clientId }: Registered, sessionState: string, origin = 'https://app.test') {
    const [known, salt, ...rest] = sessionState.split('.')
    assert.ok(salt && rest.length === 0 && !sessionState.includes(' '))
    const text = [clientId, origin, browser.state ?? '', salt].join(' ')
    return createHash('sha256').update(text).digest('base64url') === known ? 'unchanged' : 'changed'
  }

  const silently = (browser: Browser, client: Registered) =>
    browser.authorize(codeRequest(client, { prompt: 'none', state: 's' }))

  test('unchanged as long as the session lives, changed after sign-off', async () => {
    const browser = new WatchedBrowser(stile)
    const first = told(await authorizeBySignOnPage(browser, codeRequest(watching))).get('session_state') ?? ''
    assert.equal(judge(browser, watching, first), 'unchanged')
    const again = told(await silently(browser, watching)).get('session_state') ?? ''
    assert.notEqual(again, first, 'a salt of its own')
    for (const each of [first, again]) assert.equal(judge(browser, watching, each), 'unchanged')
    assert.equal(judge(browser, other, first), 'changed')
    assert.equal(judge(browser, watching, first, 'https://evil.test'), 'changed')
    const stepUp = flowOf(await browser.authorize(codeRequest(watching, { prompt: 'login' })))
    assert.equal((await submitSignOnPage(browser, stepUp, stile.user)).status, 303)
    assert.equal(judge(browser, watching, first), 'unchanged', 'the same session under another token')
    const page = await browser.send(`/${stile.environmentId}/as/signoff`)
    const confirmation = /name="confirmation" value="([^"]*)"/.exec(page.text)?.[1] ?? ''
    await browser.send(`/${stile.environmentId}/as/signoff`, {
      body: new URLSearchParams({ confirmation }),
      headers: { origin: stile.authUrl },
    })
    assert.equal(browser.state, undefined)
    assert.equal(judge(browser, watching, first), 'changed')
  })

  test('changed when somebody else signs on, by whichever application', async () => {
    const browser = new WatchedBrowser(stile)
    const first = told(await authorizeBySignOnPage(browser, codeRequest(watching))).get('session_state') ?? ''
    const flowId = flowOf(await browser.authorize(codeRequest(other, { prompt: 'login' })))
    assert.equal((await submitSignOnPage(browser, flowId, await person(stile))).status, 303)
    assert.equal(judge(browser, watching, first), 'changed')
    const next = told(await silently(browser, watching)).get('session_state') ?? ''
    assert.equal(judge(browser, watching, next), 'unchanged')
  })

  test('a session that was ended elsewhere: the browser is told when it next asks', async () => {
    const browser = new WatchedBrowser(stile)
    const first = told(await authorizeBySignOnPage(browser, codeRequest(watching))).get('session_state') ?? ''
    const { sessionId } = await signedOn(stile, other, stile.user, browser)
    expectStatus(await stile.api('DELETE', `/users/${stile.user.id}/sessions/${sessionId}`), 204)
    assert.equal(told(await silently(browser, watching)).get('error'), 'login_required')
    assert.equal(browser.state, undefined)
    assert.equal(judge(browser, watching, first), 'changed')
  })

  test('the state says nothing of the session, and is no session', async () => {
    const who = await person(stile)
    const browser = new WatchedBrowser(stile)
    await authorizeBySignOnPage(browser, codeRequest(watching), who)
    const { sessionId } = await signedOn(stile, other, who, browser)
    const state = browser.state ?? ''
    assert.match(state, /^[\w-]{43}$/)
    const [beginning = ''] = sessionId.split('-')
    assert.ok(!state.includes(beginning) && !Buffer.from(state, 'base64url').toString('hex').includes(beginning))
    for (const text of [sessionId, `${stile.environmentId}/${sessionId}`]) {
      assert.notEqual(state, createHash('sha256').update(text).digest('base64url'), 'nobody else can make it')
    }
    const thief = new Browser(stile)
    thief.cookie = `ST=${state}`
    assert.equal(told(await silently(thief, watching)).get('error'), 'login_required')
    const elsewhere = new WatchedBrowser(stile)
    await authorizeBySignOnPage(elsewhere, codeRequest(watching), who)
    assert.notEqual(elsewhere.state, state)
  })

  test('only where the application wants it; a browser that nobody watches has no state', async () => {
    const browser = new WatchedBrowser(stile)
    const answer = await authorizeBySignOnPage(browser, codeRequest(other))
    assert.equal(told(answer).get('session_state'), null)
    assert.equal(browser.state, undefined)
    const native = await register(stile, { ...nat, opSessionCheckEnabled: true })
    const { challenge } = pkce()
    const request = { code_challenge: challenge, code_challenge_method: 'S256' }
    const own = { ...native, redirectUri: 'com.example.app:/cb' }
    assert.equal(told(await browser.authorize(codeRequest(own, request))).get('session_state'), null)
    const loopback = told(await browser.authorize(codeRequest(native, request))).get('session_state') ?? ''
    assert.equal(judge(browser, native, loopback, 'http://127.0.0.1'), 'unchanged')
  })

  test('in every response mode and type, beside state and iss', async () => {
    const app = await register(stile, { ...spa, pkceEnforcement: 'OPTIONAL', opSessionCheckEnabled: true })
    const browser = new WatchedBrowser(stile)
    await authorizeBySignOnPage(browser, codeRequest(app))
    const implicit = told(
      await browser.authorize(codeRequest(app, { response_type: 'token id_token', nonce: 'n', state: 's' })),
    )
    assert.equal(judge(browser, app, implicit.get('session_state') ?? ''), 'unchanged')
    assert.deepEqual([implicit.get('state'), implicit.get('iss')], ['s', stile.issuer])
    const posted = postedForm(await browser.authorize(codeRequest(app, { response_mode: 'form_post' })))
    assert.equal(judge(browser, app, posted.parameters.get('session_state') ?? ''), 'unchanged')

    const path = (more: Record<string, string>) =>
      `/${stile.environmentId}/as/authorize?${new URLSearchParams({ ...piFlowRequest(stile, 'x'), ...more })}`
    const more = { client_id: app.clientId, code_challenge: pkce().challenge }
    const byScript = await browser.send(path(more), { headers: { origin: 'https://app.test' } })
    assert.equal(judge(browser, app, byScript.json.authorizeResponse.session_state), 'unchanged')
    const withoutOrigin = await browser.send(path(more))
    assert.equal(withoutOrigin.json.authorizeResponse.session_state, undefined)
  })

  suite('3.2: an authentication that fails', () => {
    const errorOf = (answer: Answer) => {
      const parts = told(answer)
      return { error: parts.get('error'), state: parts.get('state'), sessionState: parts.get('session_state') ?? '' }
    }

    test('tells the state as well, of the session that goes on', async () => {
      const browser = new WatchedBrowser(stile)
      const success = told(await authorizeBySignOnPage(browser, codeRequest(watching))).get('session_state') ?? ''
      const someone = await signedOn(stile, watching, await person(stile))
      for (const [more, error] of [
        [{ prompt: 'none', max_age: '0' }, 'login_required'],
        [{ prompt: 'none', id_token_hint: someone.idToken }, 'login_required'],
        [{ scope: '"' }, 'invalid_scope'],
        [{ response_type: 'code token' }, 'unauthorized_client'],
        [{ acr_values: 'Nobody' }, 'access_denied'],
      ] as const) {
        const failed = errorOf(await browser.authorize(codeRequest(watching, { state: 's', ...more })))
        assert.deepEqual([failed.error, failed.state], [error, 's'])
        assert.notEqual(failed.sessionState, success, 'a salt of its own')
        assert.equal(judge(browser, watching, failed.sessionState), 'unchanged', error)
        assert.equal(judge(browser, other, failed.sessionState), 'changed')
      }
    })

    test('where nobody is signed on: unchanged until somebody is', async () => {
      const browser = new WatchedBrowser(stile)
      const failed = errorOf(await silently(browser, watching))
      assert.equal(failed.error, 'login_required')
      assert.equal(judge(browser, watching, failed.sessionState), 'unchanged')
      assert.equal(browser.state, undefined, 'there is nothing to remember')
      await authorizeBySignOnPage(browser, codeRequest(watching))
      assert.equal(judge(browser, watching, failed.sessionState), 'changed')
    })

    test('a user who says no, after signing on', async () => {
      const asking = await registerForSignOff(stile, { opSessionCheckEnabled: true, requireConsent: true })
      const browser = new WatchedBrowser(stile)
      await authorizeBySignOnPage(browser, codeRequest(watching))
      const flowId = flowOf(await browser.authorize(codeRequest(asking)))
      expectStatus(await browser.act(flowId, 'oauth.consent', { accept: false }), 200)
      const failed = errorOf(await browser.resume(flowId))
      assert.equal(failed.error, 'access_denied')
      assert.equal(judge(browser, asking, failed.sessionState), 'unchanged')
    })

    test('in a form and in a JWT; not for applications that do not watch', async () => {
      const browser = new WatchedBrowser(stile)
      await authorizeBySignOnPage(browser, codeRequest(watching))
      const failing = (client: Registered, response_mode: string) =>
        browser.authorize(codeRequest(client, { prompt: 'none', max_age: '0', response_mode }))
      const { parameters } = postedForm(await failing(watching, 'form_post'))
      assert.equal(judge(browser, watching, parameters.get('session_state') ?? ''), 'unchanged')
      const jwt = told(await failing(watching, 'jwt'))
      assert.deepEqual([...jwt.keys()], ['response'])
      assert.equal(judge(browser, watching, String(decodeJwt(jwt.get('response') ?? '')['session_state'])), 'unchanged')
      assert.equal(errorOf(await failing(other, 'query')).sessionState, '')
    })
  })

  suite('the frame', () => {
    const page = () => stile.send(`/${stile.environmentId}/as/checksession`)

    test('I16, I17: may be framed by everybody; runs its own script and nothing else', async () => {
      const { status, headers, text } = await page()
      assert.equal(status, 200)
      assert.equal(headers.get('x-frame-options'), null)
      const policy = headers.get('content-security-policy') ?? ''
      assert.match(policy, /default-src 'none'; script-src 'self';.*frame-ancestors \*/)
      assert.doesNotMatch(policy, /unsafe|connect-src|img-src|nonce/)
      assert.doesNotMatch(text, /<(form|a|img|iframe|button)\b/)
      const source = /<script type="module" src="([^"]*)"><\/script>/.exec(text)?.[1] ?? ''
      const script = await stile.send(source)
      assert.equal(script.status, 200)
      assert.equal(script.text, checkSessionScript.content)
    })

    test('it is the same whoever asks, and sets nothing', async () => {
      const browser = new WatchedBrowser(stile)
      await authorizeBySignOnPage(browser, codeRequest(watching))
      const mine = await browser.send(`/${stile.environmentId}/as/checksession?x=<script>`)
      assert.equal(mine.text, (await page()).text)
      assert.deepEqual(mine.headers.getSetCookie(), [])
    })

    test('every other page refuses to be framed', async () => {
      for (const path of ['as/signoff', 'signedOff', 'as/initiateLogin', 'signon/?flowId=x']) {
        const { headers } = await stile.send(`/${stile.environmentId}/${path}`, { headers: { accept: 'text/html' } })
        assert.equal(headers.get('x-frame-options'), 'DENY', path)
        assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/, path)
      }
    })

    test('its script reads the cookie that is set', () => {
      assert.ok(checkSessionScript.content.includes(`'${browserStateCookieName}='`))
      assert.ok(checkSessionScript.content.includes(`slice(${browserStateCookieName.length + 1})`))
    })
  })
})
