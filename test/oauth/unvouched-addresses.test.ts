/**
 * Row A22 wherever a browser could be sent on beside the plain authorization response (`registered-client-users.test.ts`): to
 * an address that a client has registered for itself, and that nobody has vouched for, nothing bounces. RFC 9700 section
 * 4.11.2, JARM, OpenID Connect Core section 4, RP-Initiated Logout 1.0.
 */
import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { confirm, isQuestion, signOff } from './endpoints/signed-on.ts'
import { codeOf, codeRequest, isLive, postedForm, redeemCode } from './journeys.ts'
import { allowed, policy, registered, webClient } from './registering.ts'
import { change, expectStatus, person, register, type Registered, web } from './registrations.ts'

suite('addresses that nobody has vouched for', () => {
  const signedOff = 'https://books.test/signed-off'
  let stile: Stile
  let app: Registered
  before(async () => {
    stile = await startStile()
    await open()
    const client = await registered(stile, {
      ...webClient,
      initiate_login_uri: 'https://books.test/login',
      post_logout_redirect_uris: [signedOff],
    })
    app = {
      clientId: client.client_id,
      clientSecret: client.client_secret,
      redirectUri: webClient.redirect_uris[0] ?? '',
    }
  })
  after(() => stile.close())
  beforeEach(() => open())

  const open = (more: object = {}) =>
    policy(stile, { mode: 'OPEN', perNetworkAddress: { count: 100_000, seconds: 60 }, ...more })

  suite('signed responses', () => {
    test('query.jwt: a page with a link to the answer, which is signed', async () => {
      const request = codeRequest(app, { scope: 'orders:write', state: 's', response_mode: 'query.jwt' })
      const { status, headers, text } = await new Browser(stile).authorize(request)
      assert.deepEqual([status, headers.get('location')], [400, null])
      const href = /<a class="link" href="([^"]+)" rel="noreferrer">/.exec(text)?.[1] ?? assert.fail('no link')
      const link = new URL(href.replaceAll('&amp;', '&'))
      assert.equal(link.origin + link.pathname, app.redirectUri)
      assert.deepEqual([...link.searchParams.keys()], ['response'])
      const { error, aud, state } = decodeJwt(link.searchParams.get('response') ?? '')
      assert.deepEqual([error, aud, state], ['invalid_scope', app.clientId, 's'])
    })

    test('form_post.jwt: a button, and no script that presses it', async () => {
      const request = codeRequest(app, { scope: 'orders:write', response_mode: 'form_post.jwt' })
      const answer = await new Browser(stile).authorize(request)
      assert.equal(answer.status, 400)
      assert.doesNotMatch(answer.text, /<script/)
      const { action, parameters } = postedForm({ ...answer, status: 200 })
      assert.deepEqual([action, [...parameters.keys()]], [app.redirectUri, ['response']])
    })
  })

  suite('a login that begins here', () => {
    const begin = () =>
      stile.send(`/${stile.environmentId}/as/initiateLogin?client_id=${app.clientId}`, {
        headers: { accept: 'text/html' },
      })

    test('goes to no address of a stranger', async () => {
      const { status, headers, text } = await begin()
      assert.deepEqual([status, headers.get('location')], [400, null])
      assert.match(text, /<code>unauthorized_client<\/code>/)
      assert.doesNotMatch(text, /books\.test/)
    })

    test('goes to one whose host the policy lists', async () => {
      await open({ redirectHosts: ['books.test'] })
      assert.match((await begin()).headers.get('location') ?? '', /^https:\/\/books\.test\/login\?iss=/)
    })
  })

  suite('sign-off', () => {
    const back = () => ({ client_id: app.clientId, post_logout_redirect_uri: signedOff, state: 's' })
    const location = async (browser: Browser, more: Readonly<Record<string, string>>) =>
      (await signOff(browser, more)).headers.get('location')
    const signedOn = async () => {
      const browser = new Browser(stile)
      const code = codeOf(await allowed(browser, codeRequest(app, { scope: 'openid' }), await person(stile)))
      return { browser, ...expectStatus(await redeemCode(stile, app, code), 200) }
    }

    test('where nobody is signed on, a link of a stranger ends at a page here', async () => {
      const ended = `${stile.authUrl}/${stile.environmentId}/signedOff`
      assert.equal(await location(new Browser(stile), back()), ended)
      await open({ redirectHosts: ['elsewhere.test'] })
      assert.equal(await location(new Browser(stile), back()), ended)
      await open({ redirectHosts: ['books.test'] })
      assert.equal(await location(new Browser(stile), back()), `${signedOff}?state=s`)
      const { clientId: client_id } = await register(stile, { ...web, postLogoutRedirectUris: [signedOff] })
      await open()
      assert.equal(await location(new Browser(stile), { ...back(), client_id }), `${signedOff}?state=s`)
    })

    test('whoever shows an ID token of theirs goes back; so does whoever has been asked', async () => {
      const at = await signedOn()
      const hinted = { ...back(), id_token_hint: at.id_token }
      assert.equal(await location(at.browser, hinted), `${signedOff}?state=s`)
      assert.equal(await isLive(stile, at.access_token), false)
      assert.equal(await location(at.browser, hinted), `${signedOff}?state=s`, 'once more, when it is over')
      const other = await signedOn()
      const question = await signOff(other.browser, back())
      assert.ok(isQuestion(question))
      const done = await confirm(other.browser, question)
      assert.equal(done.status, 200)
      assert.match(done.text, /href="https:\/\/books\.test\/signed-off\?state=s"/)
    })

    test('an application that is switched off sends nobody anywhere', async () => {
      await open({ redirectHosts: ['books.test'] })
      await change(stile, app.clientId, { enabled: false })
      assert.equal((await signOff(new Browser(stile), back())).status, 400)
      await change(stile, app.clientId, { enabled: true })
    })
  })
})
