/**
 * What the users of a client see and decide that has registered itself: rows A12, A22, H08, H09; RFC 9700 section 4.11.2,
 * RFC 8252 section 8.6.
 */
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { Browser, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  codeOf,
  codeRequest,
  expectRefusal,
  flowOf,
  postedForm,
  redeemCode,
  submitSignOnPage,
  told,
} from './journeys.ts'
import {
  allowed,
  answerConsent,
  askedForConsent,
  openidGrant,
  policy,
  registered,
  signOnPage,
  webClient,
} from './registering.ts'
import { expectStatus, type Person, person, type Registered } from './registrations.ts'

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')

suite('users of a client that has registered itself', () => {
  let stile: Stile
  let who: Person
  let app: Registered
  let server: Server
  let base: string
  let hits = 0
  before(async () => {
    stile = await startStile()
    who = await person(stile)
    await open()
    app = asRegistered(await registered(stile))
    server = createServer((request, response) => {
      hits += 1
      const isPicture = request.url === '/logo.png'
      response.writeHead(200, { 'content-type': isPicture ? 'text/html' : 'image/png' })
      response.end(isPicture ? png : '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(async () => {
    server.close()
    await stile.close()
  })

  const open = async (more: object = {}) =>
    policy(stile, {
      mode: 'OPEN',
      perNetworkAddress: { count: 100_000, seconds: 60 },
      grants: [await openidGrant(stile)],
      ...more,
    })
  const asRegistered = (client: Answer['json']): Registered => ({
    clientId: client.client_id,
    clientSecret: client.client_secret ?? '',
    redirectUri: client.redirect_uris[0],
  })

  /** Expects a page that names the client and goes nowhere by itself; gives the address that its link leads to. */
  function expectInterstitial(answer: Answer, name = 'Lantern Books', host = 'books.test'): URL {
    assert.equal(answer.status, 400, answer.text)
    assert.equal(answer.headers.get('location'), null)
    assert.match(answer.text, new RegExp(`${name} has registered itself, and nobody here has verified who it is`))
    assert.match(answer.text, new RegExp(`sends you on to ${host}\\.`))
    assert.doesNotMatch(answer.text, /http-equiv="refresh"|<script/)
    const href = /<a class="link" href="([^"]+)" rel="noreferrer">/.exec(answer.text)?.[1]?.replaceAll('&amp;', '&')
    return new URL(href ?? assert.fail('no link'))
  }

  suite('A22: no request bounces off to an address that nobody has vouched for', () => {
    test('one that is built to fail shows a page that names the client, with a link to the answer', async () => {
      const failing: readonly (readonly [Record<string, string>, string])[] = [
        [{ scope: 'orders:write' }, 'invalid_scope'],
        [{ response_type: 'token', nonce: 'n' }, 'unauthorized_client'],
        [{ response_type: 'telepathy' }, 'unsupported_response_type'],
        [{ prompt: 'none' }, 'login_required'],
        [{ prompt: 'none login' }, 'invalid_request'],
        [{ request: 'x.y.z' }, 'invalid_request_object'],
      ]
      for (const [more, error] of failing) {
        const answer = await new Browser(stile).authorize(codeRequest(app, { state: 's 1', ...more }))
        const link = expectInterstitial(answer)
        assert.equal(link.origin + link.pathname, app.redirectUri)
        const parameters = new URLSearchParams(link.hash === '' ? link.search : link.hash.slice(1))
        assert.deepEqual(
          [parameters.get('error'), parameters.get('state'), parameters.get('iss')],
          [error, 's 1', stile.issuer],
        )
        assert.match(answer.headers.get('content-security-policy') ?? '', /form-action 'none'/)
      }
    })

    test('form_post: a button, and no script that presses it', async () => {
      const request = codeRequest(app, { scope: 'orders:write', response_mode: 'form_post' })
      const answer = await new Browser(stile).authorize(request)
      assert.equal(answer.status, 400)
      assert.doesNotMatch(answer.text, /<script/)
      const { action, parameters } = postedForm({ ...answer, status: 200 })
      assert.deepEqual([action, parameters.get('error')], [app.redirectUri, 'invalid_scope'])
      assert.match(answer.headers.get('content-security-policy') ?? '', /form-action https:\/\/books\.test;/)
    })

    test('one that can be carried out comes to the sign-on page, which names the client', async () => {
      const browser = new Browser(stile)
      const flowId = flowOf(await browser.authorize(codeRequest(app)))
      const { text } = await browser.send(signOnPage(stile, flowId))
      assert.match(text, /Lantern Books has registered itself, and nobody here has verified/)
      assert.match(text, /sends you on to books\.test\./)
    })

    test('an address whose host the policy lists gets its OpenID Connect answer', async () => {
      await open({ redirectHosts: ['books.test'] })
      const silent = () => new Browser(stile).authorize(codeRequest(app, { prompt: 'none' }))
      assert.equal(told(await silent()).get('error'), 'login_required')
      await open({ redirectHosts: ['elsewhere.test'] })
      expectInterstitial(await silent())
      await open()
    })

    test('so does an address on the device of the user, and an application of an administrator', async () => {
      const native = {
        client_name: 'Tool',
        redirect_uris: ['http://127.0.0.1/cb', 'com.example.tool:/cb'],
        token_endpoint_auth_method: 'none',
      }
      const tool = asRegistered(await registered(stile, native))
      const silent = {
        scope: 'openid',
        prompt: 'none',
        code_challenge: pkce().challenge,
        code_challenge_method: 'S256',
      }
      const local = { ...tool, redirectUri: 'http://127.0.0.1:4711/cb' }
      assert.equal(told(await new Browser(stile).authorize(codeRequest(local, silent))).get('error'), 'login_required')
      const scheme = { ...tool, redirectUri: 'com.example.tool:/cb' }
      assert.equal((await new Browser(stile).authorize(codeRequest(scheme, silent))).status, 400)
      const { clientId, redirectUri } = stile.webApp
      const ours = codeRequest({ clientId, redirectUri, clientSecret: '' }, { prompt: 'none' })
      assert.equal(told(await new Browser(stile).authorize(ours)).get('error'), 'login_required')
    })

    test('A12: an address that was put in by SQL gets an error page, and nothing leads there', async () => {
      const { client_id } = await registered(stile)
      const hostile = 'javascript:alert(1)'
      await stile.node.kernel.storage.commit({
        name: 'test.tamper',
        *run() {
          yield {
            text: 'UPDATE applications SET document = REPLACE(document, $2, $3) WHERE id = $1',
            values: [client_id, 'https://books.test/cb', hostile],
          }
        },
      })
      const request = { client_id, response_type: 'code', redirect_uri: hostile, scope: 'openid' }
      for (const more of [{}, { prompt: 'none' }, { scope: 'x' }]) {
        const answer = await new Browser(stile).authorize({ ...request, ...more })
        assert.equal(answer.status, 400)
        assert.equal(answer.headers.get('location'), null)
        assert.doesNotMatch(answer.text, /javascript:/)
      }
    })
  })

  suite('H09: nothing is issued without consent', () => {
    test('the first request asks, also with a session, and prompt=none says consent_required', async () => {
      const client = asRegistered(await registered(stile))
      const browser = new Browser(stile)
      const elsewhere = asRegistered(await registered(stile))
      codeOf(await allowed(browser, codeRequest(elsewhere), who))
      const link = expectInterstitial(await browser.authorize(codeRequest(client, { prompt: 'none' })))
      assert.equal(link.searchParams.get('error'), 'consent_required')
      const { page } = await askedForConsent(browser, codeRequest(client))
      assert.match(page, /nobody here has verified/)
      assert.match(page, /See your e-mail address/)
      codeOf(await allowed(browser, codeRequest(client)))
      // Granted once, a confidential client at an https address is known again.
      codeOf(await browser.authorize(codeRequest(client)))
    })

    test('who denies is remembered for nothing', async () => {
      const client = asRegistered(await registered(stile))
      const browser = new Browser(stile)
      const { flowId } = await askedForConsent(browser, codeRequest(client), await person(stile))
      assert.equal((await answerConsent(browser, flowId, false)).status, 303)
      assert.equal(told(await browser.resume(flowId)).get('error'), 'access_denied')
    })

    test('a change of the client asks again, and what was granted before redeems nothing', async () => {
      const client = await registered(stile)
      const browser = new Browser(stile)
      const request = codeRequest(asRegistered(client))
      codeOf(await allowed(browser, request, await person(stile)))
      const waiting = codeOf(await browser.authorize(request))
      const changed = await stile.send(new URL(client.registration_client_uri).pathname, {
        method: 'PUT',
        token: client.registration_access_token,
        body: { ...webClient, client_id: client.client_id, client_name: 'Lantern Books Ltd' },
      })
      expectStatus(changed, 200)
      expectRefusal(await redeemCode(stile, asRegistered(client), waiting), 'invalid_grant')
      const { page } = await askedForConsent(browser, request)
      assert.match(page, /Lantern Books Ltd asks to be allowed/)
    })

    test('RFC 8252 8.6: whom any program on the device could pass for is never silently remembered', async () => {
      const native = { client_name: 'Tool', redirect_uris: ['http://localhost/cb'], token_endpoint_auth_method: 'none' }
      const tool = { ...asRegistered(await registered(stile, native)), redirectUri: 'http://localhost:50123/cb' }
      const browser = new Browser(stile)
      const request = (more: object = {}) =>
        codeRequest(tool, { scope: 'openid', code_challenge: pkce().challenge, code_challenge_method: 'S256', ...more })
      codeOf(await allowed(browser, request(), await person(stile)))
      const { page } = await askedForConsent(browser, request())
      assert.match(page, /sends you on to an application on this device/)
      codeOf(await allowed(browser, request()))
      assert.equal(told(await browser.authorize(request({ prompt: 'none' }))).get('error'), 'consent_required')
    })

    test('it cannot have its users sign on elsewhere than on the hosted pages', async () => {
      const browser = new Browser(stile)
      const own = await browser.authorize(codeRequest(app, { response_mode: 'pi.flow' }))
      assert.equal(expectStatus(own, 400).details[0].code, 'INVALID_VALUE')
      const flowId = flowOf(await browser.authorize(codeRequest(app)))
      const path = `/${stile.environmentId}/flows/${flowId}`
      const headers = { origin: 'https://books.test' }
      expectStatus(await browser.send(path, { headers }), 403)
      const body = { username: who.username, password: who.password }
      const mediaType = 'application/vnd.pingidentity.usernamePassword.check+json'
      const typed = await browser.send(path, { body, mediaType, headers })
      expectStatus(typed, 403)
      assert.equal(typed.headers.get('access-control-allow-origin'), null)
    })
  })

  suite('H08: what a client calls itself', () => {
    test('is escaped, and stands beside the host', async () => {
      const client = asRegistered(
        await registered(stile, { ...webClient, client_name: '<img src=x onerror=alert(1)>PingOne Sign-in' }),
      )
      const browser = new Browser(stile)
      const { page } = await askedForConsent(browser, codeRequest(client), await person(stile))
      assert.doesNotMatch(page, /<img src=x/)
      assert.match(page, /&lt;img src=x onerror=alert\(1\)&gt;PingOne Sign-in has registered itself/)
      assert.match(page, /sends you on to books\.test\./)
    })

    test('is limited, and reads in one direction', async () => {
      const refused = ['a\u202eb', 'a\u2066b', 'a\nb', 'a\u0000b', 'a\u200bb', ' ', '', 'x'.repeat(10_240), 7, ['x']]
      for (const client_name of refused) {
        const answer = await stile.send(`/${stile.environmentId}/as/register`, { body: { ...webClient, client_name } })
        assert.equal(answer.status, 400, JSON.stringify(client_name))
      }
      await registered(stile, { ...webClient, client_name: 'Bücherei Größe 本屋 📚' })
    })

    test('the sign-on page links to its policy and its terms', async () => {
      const uris = { policy_uri: 'https://books.test/privacy', tos_uri: 'https://books.test/terms' }
      const client = asRegistered(await registered(stile, { ...webClient, ...uris }))
      const browser = new Browser(stile)
      const { text } = await browser.send(signOnPage(stile, flowOf(await browser.authorize(codeRequest(client)))))
      assert.match(
        text,
        /<a class="link" href="https:\/\/books\.test\/privacy" target="_blank" rel="noopener noreferrer">Privacy policy</,
      )
      assert.match(
        text,
        /<a class="link" href="https:\/\/books\.test\/terms" target="_blank" rel="noopener noreferrer">Terms of service</,
      )
    })

    test('W04: the sign-on page shows the logo, which comes from here', async () => {
      const client = asRegistered(await registered(stile, { ...webClient, logo_uri: `${base}/logo.png` }))
      const browser = new Browser(stile)
      const { text } = await browser.send(signOnPage(stile, flowOf(await browser.authorize(codeRequest(client)))))
      const src = /<div class="brand"><img src="([^"]+)" alt="">/.exec(text)?.[1]
      assert.equal(src, `${stile.issuer}/logo/${client.clientId}`)
      hits = 0
      const logos = await Promise.all(
        Array.from({ length: 10 }, () => fetch(`http://127.0.0.1:${stile.node.port}${new URL(src ?? '').pathname}`)),
      )
      assert.equal(hits, 1)
      for (const logo of logos) {
        assert.equal(logo.headers.get('content-type'), 'image/png')
        assert.equal(logo.headers.get('x-content-type-options'), 'nosniff')
        assert.match(logo.headers.get('content-security-policy') ?? '', /default-src 'none'; sandbox/)
        assert.deepEqual(Buffer.from(await logo.arrayBuffer()), png)
      }
    })

    test('W04: a logo that is no picture of pixels, or of nobody, is not served', async () => {
      const svg = await registered(stile, { ...webClient, logo_uri: `${base}/logo.svg` })
      const none = await registered(stile)
      for (const id of [svg.client_id, none.client_id, stile.webApp.clientId, who.id]) {
        assert.equal((await stile.send(`/${stile.environmentId}/as/logo/${id}`)).status, 404)
      }
    })
  })

  test('a person who signs on without a session is asked once they have proved who they are', async () => {
    const browser = new Browser(stile)
    const client = asRegistered(await registered(stile))
    const flowId = flowOf(await browser.authorize(codeRequest(client)))
    assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
    assert.match((await browser.send(signOnPage(stile, flowId))).text, /Do you allow this\?/)
  })
})
