/**
 * What a user grants to an application that asks for it (extension): OpenID Connect Core 3.1.2.1, 3.1.2.4; rows A29, B20,
 * C25, E08, E23, I09, I32, J22.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { rows } from '../flow-runtime/arrange.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { codeOf, codeRequest, expectRefusal, flowOf, isLive, redeemCode, submitSignOnPage, told } from './journeys.ts'
import {
  builtInResource,
  customResource,
  expectStatus,
  grant,
  type Person,
  person,
  type Registered,
  register,
  spa,
  web,
} from './registrations.ts'

suite('consent', () => {
  let stile: Stile
  let app: Registered
  before(async () => {
    stile = await startStile()
    app = await register(stile, { ...web, requireConsent: true })
  })
  after(() => stile.close())

  const page = (flowId: string) => `/${stile.environmentId}/signon/?flowId=${flowId}`
  const own = () => ({ origin: stile.authUrl, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' })

  /** Presses a button of the page. */
  function answer(browser: Browser, flowId: string, accept: string, more: Readonly<Record<string, string>> = {}) {
    const body = new URLSearchParams({ action: 'oauth.consent', accept, ...more })
    return browser.send(page(flowId), { body, headers: own() })
  }

  /** A flow that has come to the question, and its page. */
  async function asked(browser: Browser, request: Readonly<Record<string, string>>, who?: Person) {
    const flowId = flowOf(await browser.authorize(request))
    if (who) assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
    const shown = await browser.send(page(flowId))
    assert.match(shown.text, /Do you allow this\?/)
    return { flowId, shown }
  }

  async function granted(browser: Browser, request: Readonly<Record<string, string>>, who?: Person): Promise<Answer> {
    const { flowId } = await asked(browser, request, who)
    assert.equal((await answer(browser, flowId, 'true')).status, 303)
    return browser.resume(flowId)
  }

  const consentsOf = async ({ id }: Person) =>
    expectStatus(await stile.api('GET', `/users/${id}/oauthConsents`), 200)._embedded.oauthConsents

  test('the page tells who asks for what, in words, and what is allowed is remembered', async () => {
    const who = await person(stile)
    const resource = await customResource(stile, { audience: `https://${randomUUID()}.test` }, [])
    const scopeName = `orders-${randomUUID().slice(0, 8)}`
    const scope = { name: scopeName, description: 'Read your orders' }
    const { id: scopeId } = expectStatus(await stile.api('POST', `/resources/${resource.id}/scopes`, scope), 201)
    const theirs = await register(stile, { ...web, name: `Shop & Co ${randomUUID()}`, requireConsent: true })
    await grant(stile, theirs.clientId, resource.id, [scopeId])
    const browser = new Browser(stile)
    const request = codeRequest(theirs, { scope: `openid email ${scopeName}` })
    const { flowId, shown } = await asked(browser, request, who)
    assert.match(shown.text, /Shop &amp; Co [^<]*asks to be allowed the following/)
    assert.match(shown.text, /Read your orders/)
    assert.match(shown.text, /See your e-mail address/)
    assert.doesNotMatch(shown.text, /See your phone number/)
    const flow = expectStatus(await browser.send(`/${stile.environmentId}/flows/${flowId}`), 200)
    assert.equal(flow.status, 'CONSENT_REQUIRED')
    assert.deepEqual(flow._embedded.scopes[2], { ...scope, resource: { name: flow._embedded.scopes[2].resource.name } })
    assert.ok(flow._links['oauth.consent'])

    assert.equal((await answer(browser, flowId, 'true', { scope: 'phone', scopeIds: 'x' })).status, 303)
    const tokens = expectStatus(await redeemCode(stile, theirs, codeOf(await browser.resume(flowId))), 200)
    assert.equal(tokens.scope, request['scope'], 'I09: nothing but what was asked for')
    assert.ok(await isLive(stile, tokens.access_token))

    const [consent] = await consentsOf(who)
    assert.equal(consent.application.id, theirs.clientId)
    assert.deepEqual(
      consent.scopes.map(({ name }: { name: string }) => name),
      ['openid', 'email', scopeName],
    )
    assert.ok(consent.usedAt)
    const events = await rows<{ action: string }>(stile, 'events', 'subject_id = $2', consent.id)
    assert.deepEqual(
      events.map(({ action }) => action),
      ['OAUTH_CONSENT.GRANTED'],
    )
  })

  test('the same or less asks nothing; more asks again, with all of it; prompt=consent always asks', async () => {
    const who = await person(stile)
    const browser = new Browser(stile)
    codeOf(await granted(browser, codeRequest(app, { scope: 'openid profile' }), who))
    for (const scope of ['openid profile', 'profile openid', 'openid', 'profile']) {
      codeOf(await browser.authorize(codeRequest(app, { scope })))
      codeOf(await browser.authorize(codeRequest(app, { scope, prompt: 'none' })))
    }
    const { shown } = await asked(browser, codeRequest(app, { scope: 'openid email' }))
    assert.match(shown.text, /recognise you/)
    assert.match(shown.text, /See your e-mail address/)
    codeOf(await granted(browser, codeRequest(app, { scope: 'openid email' })))
    codeOf(await browser.authorize(codeRequest(app, { scope: 'openid profile email' })))
    const again = codeRequest(app, { scope: 'openid', prompt: 'consent' })
    codeOf(await granted(browser, again))
    codeOf(await granted(browser, again))
    const consents = await consentsOf(who)
    assert.equal(consents.length, 1)
    assert.equal(consents[0].scopes.length, 3)
  })

  test('A29: prompt=none answers consent_required, whatever else the session would satisfy', async () => {
    const browser = new Browser(stile)
    const request = codeRequest(app, { prompt: 'none' })
    assert.equal(told(await browser.authorize(request)).get('error'), 'login_required')
    codeOf(await granted(browser, codeRequest(app, { scope: 'openid' }), await person(stile)))
    assert.equal(told(await browser.authorize(request)).get('error'), 'consent_required')
    const native = await register(stile, { ...spa, requireConsent: true })
    const silent = piFlowRequest(stile, pkce().challenge, { client_id: native.clientId, prompt: 'none' })
    const refused = expectStatus(await browser.authorize(silent), 400)
    assert.equal(refused.details[0].code, 'CONSENT_REQUIRED')
  })

  test('who denies is sent back with access_denied, and nothing is remembered', async () => {
    const who = await person(stile)
    const browser = new Browser(stile)
    const { flowId } = await asked(browser, codeRequest(app, { state: 's1' }), who)
    assert.equal((await answer(browser, flowId, 'false')).status, 303)
    assert.match((await browser.send(page(flowId))).text, /You did not allow/)
    assert.equal((await answer(browser, flowId, 'true')).status, 303)
    const parameters = told(await browser.resume(flowId))
    assert.deepEqual([parameters.get('error'), parameters.get('state')], ['access_denied', 's1'])
    assert.equal(parameters.get('code'), null)
    assert.deepEqual(await consentsOf(who), [])
    assert.deepEqual(await rows(stile, 'authorization_codes', 'user_id = $2', who.id), [])
  })

  test('J22: it cannot be skipped, nor answered by another browser, another body or a page of the application', async () => {
    const who = await person(stile)
    const browser = new Browser(stile)
    const { flowId } = await asked(browser, codeRequest(app), who)
    const flow = `/${stile.environmentId}/flows/${flowId}`
    const mediaType = 'application/vnd.pingidentity.oauth.consent+json'
    assert.match((await browser.resume(flowId)).headers.get('location') ?? '', /\/signon\/\?flowId=/)
    const other = new Browser(stile)
    assert.equal((await other.send(flow, { mediaType, body: { accept: true } })).status, 404)
    assert.equal((await answer(other, flowId, 'true')).status, 404)
    for (const body of [{}, { accept: 'true' }, { accept: 1 }, { accept: null }]) {
      expectStatus(await browser.send(flow, { mediaType, body }), 400)
    }
    assert.equal((await answer(browser, flowId, 'yes')).status, 400)
    // The origin of its redirect URI is one that the application may call the flows API from.
    for (const headers of [{ origin: 'https://app.test' }, { 'sec-fetch-site': 'cross-site' }]) {
      expectStatus(await browser.send(flow, { mediaType, body: { accept: true }, headers }), 403)
      assert.equal(
        (
          await browser.send(page(flowId), {
            body: new URLSearchParams({ action: 'oauth.consent', accept: 'true' }),
            headers,
          })
        ).status,
        403,
      )
    }
    assert.match((await browser.send(page(flowId))).text, /Do you allow this\?/)
    assert.deepEqual(await consentsOf(who), [])
  })

  test('I32: of twenty answers at once one is taken: one consent, one code', async () => {
    const who = await person(stile)
    const browser = new Browser(stile)
    const { flowId } = await asked(browser, codeRequest(app), who)
    const twenty = Array.from({ length: 20 }, () => Object.assign(new Browser(stile), { cookie: browser.cookie }))
    await Promise.all(twenty.map((each) => answer(each, flowId, 'true')))
    const last = twenty.find(({ cookie }) => cookie !== browser.cookie)
    assert.ok(last, 'one of them signed on')
    const resumed = await Promise.all(Array.from({ length: 5 }, () => last.resume(flowId)))
    assert.equal(resumed.filter(({ status }) => status === 302).length, 1)
    assert.equal((await consentsOf(who)).length, 1)
    assert.equal((await rows(stile, 'authorization_codes', 'user_id = $2', who.id)).length, 1)
  })

  test('the consent of one user says nothing of another in the same browser', async () => {
    const browser = new Browser(stile)
    codeOf(await granted(browser, codeRequest(app), await person(stile)))
    await asked(browser, codeRequest(app, { prompt: 'login' }), await person(stile))
  })

  test('an application that asks for none is not affected, and neither kind is the other by a left-out member', async () => {
    const browser = new Browser(stile)
    const plain = await register(stile)
    const flowId = flowOf(await browser.authorize(codeRequest(plain, { prompt: 'consent' })))
    const submitted = await submitSignOnPage(browser, flowId, await person(stile))
    assert.equal(submitted.status, 303)
    codeOf(await browser.resume(flowId))
    const { requireConsent } = expectStatus(await stile.api('GET', `/applications/${app.clientId}`), 200)
    assert.equal(requireConsent, true)
    for (const members of [{ isFirstParty: true }, { loginPageUrl: 'https://app.test/login' }]) {
      const body = { ...web, name: `Application ${randomUUID()}`, requireConsent: true, ...members }
      const refused = expectStatus(await stile.api('POST', '/applications', body), 400)
      assert.equal(refused.details[0].target, 'requireConsent')
    }
  })

  suite('withdrawing', () => {
    const withdraw = async (who: Person) => {
      const [consent] = await consentsOf(who)
      const path = `/users/${who.id}/oauthConsents/${consent.id}`
      assert.equal(expectStatus(await stile.api('GET', path), 200).id, consent.id)
      assert.equal((await stile.api('DELETE', path)).status, 204)
      assert.equal((await stile.api('DELETE', path)).status, 404)
      return consent.id as string
    }

    test('E08: it ends the tokens of that application alone, and the next request asks', async () => {
      const who = await person(stile)
      const browser = new Browser(stile)
      const { access_token: token } = expectStatus(
        await redeemCode(stile, app, codeOf(await granted(browser, codeRequest(app), who))),
        200,
      )
      const plain = await register(stile)
      const other = expectStatus(
        await redeemCode(stile, plain, codeOf(await browser.authorize(codeRequest(plain)))),
        200,
      )
      const id = await withdraw(who)
      assert.equal(await isLive(stile, token), false)
      assert.equal(await isLive(stile, other.access_token), true)
      await asked(browser, codeRequest(app, { scope: 'openid' }))
      const events = await rows<{ action: string }>(stile, 'events', 'subject_id = $2', id)
      assert.deepEqual(events.map(({ action }) => action).toSorted(), [
        'OAUTH_CONSENT.DELETED',
        'OAUTH_CONSENT.GRANTED',
      ])
    })

    test('B20: a code that waits is worth nothing, not even after a new consent', async () => {
      const who = await person(stile)
      const browser = new Browser(stile)
      const codes = [
        codeOf(await granted(browser, codeRequest(app), who)),
        codeOf(await browser.authorize(codeRequest(app))),
      ]
      await withdraw(who)
      expectRefusal(await redeemCode(stile, app, codes[0] ?? ''), 'invalid_grant')
      codeOf(await granted(browser, codeRequest(app)))
      expectRefusal(await redeemCode(stile, app, codes[1] ?? ''), 'invalid_grant')
    })

    test('a flow that was completed by it gives nothing that lives', async () => {
      const who = await person(stile)
      const browser = new Browser(stile)
      const client = await register(stile, { ...spa, requireConsent: true })
      const request = codeRequest(client, { response_type: 'token id_token', nonce: 'n' })
      const { flowId } = await asked(browser, request, who)
      assert.equal((await answer(browser, flowId, 'true')).status, 303)
      await withdraw(who)
      const resumed = await browser.resume(flowId)
      const told = new URLSearchParams(new URL(resumed.headers.get('location') ?? '').hash.slice(1))
      assert.deepEqual(
        [told.get('error'), told.has('access_token'), told.has('id_token')],
        ['access_denied', false, false],
      )
      assert.deepEqual(await rows(stile, 'token_families', 'user_id = $2', who.id), [])
    })

    test('E23: it ends with the user, and with the application', async () => {
      const who = await person(stile)
      const browser = new Browser(stile)
      const client = await register(stile, { ...web, requireConsent: true })
      codeOf(await granted(browser, codeRequest(client), who))
      codeOf(await granted(browser, codeRequest(app)))
      assert.equal((await stile.api('DELETE', `/applications/${client.clientId}`)).status, 204)
      assert.deepEqual(
        (await consentsOf(who)).map((each: { application: { id: string } }) => each.application.id),
        [app.clientId],
      )
      assert.equal((await stile.api('DELETE', `/users/${who.id}`)).status, 204)
      assert.deepEqual(await rows(stile, 'oauth_consents', 'user_id = $2', who.id), [])
    })

    test('users see and withdraw their own, by the scopes for it, and nobody else’s', async () => {
      const [who, other] = [await person(stile), await person(stile)]
      codeOf(await granted(new Browser(stile), codeRequest(app), other))
      const api = await builtInResource(stile, 'PINGONE_API')
      const self = await register(stile)
      await grant(stile, self.clientId, api.id, [
        api.scope('p1:read:oauthConsent'),
        api.scope('p1:update:oauthConsent'),
      ])
      const browser = new Browser(stile)
      codeOf(await granted(browser, codeRequest(app), who))
      const tokenFor = async (scope: string) => {
        const code = codeOf(await browser.authorize(codeRequest(self, { scope })))
        return expectStatus(await redeemCode(stile, self, code), 200).access_token as string
      }
      const path = (id: string) => `/v1/environments/${stile.environmentId}/users/${id}/oauthConsents`
      const reader = await tokenFor('p1:read:oauthConsent')
      const { _embedded } = expectStatus(await stile.send(path(who.id), { token: reader }), 200)
      const [consent] = _embedded.oauthConsents
      expectStatus(await stile.send(path(other.id), { token: reader }), 403)
      const one = `${path(who.id)}/${consent.id}`
      expectStatus(await stile.send(one, { method: 'DELETE', token: reader }), 403)
      const writer = await tokenFor('p1:update:oauthConsent')
      const [foreign] = await consentsOf(other)
      expectStatus(await stile.send(`${path(who.id)}/${foreign.id}`, { method: 'DELETE', token: writer }), 404)
      assert.equal((await stile.send(one, { method: 'DELETE', token: writer })).status, 204)
      assert.deepEqual(await consentsOf(who), [])
    })

    test('redemption and withdrawal at once: whichever is last, no token lives on', async () => {
      for (let round = 0; round < 8; round++) {
        const who = await person(stile)
        const code = codeOf(await granted(new Browser(stile), codeRequest(app), who))
        const [redeemed] = await Promise.all([redeemCode(stile, app, code), withdraw(who)])
        if (redeemed.status === 200) assert.equal(await isLive(stile, redeemed.json.access_token), false)
        else expectRefusal(redeemed, 'invalid_grant')
      }
    })
  })
})
