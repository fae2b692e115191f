/**
 * Sign-off over HTTP: OpenID Connect RP-Initiated Logout 1.0, authentication-api 2.18; rows A12, B20, E13, E28, F01, F07, I10 to I14.
 */
import assert from 'node:assert/strict'
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { signingKeyFor } from '../../../src/environment/signing-key-choice.ts'
import { signJwt } from '../../../src/keys/jws.ts'
import { update } from '../../../src/storage/operations.ts'
import { rows } from '../../flow-runtime/arrange.ts'
import { Browser } from '../../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../../harness/stile.ts'
import {
  codeOf,
  codeRequest,
  expectRefusal,
  flowOf,
  isLive,
  obtainCode,
  redeemCode,
  refreshTokens,
  submitSignOnPage,
} from '../journeys.ts'
import { dangerousUris, refusedForWeb } from '../redirect-uri-corpus.ts'
import { change, expectStatus, otherEnvironment, person, type Registered, register, web } from '../registrations.ts'
import {
  afterSignOff,
  confirm,
  fieldsOf,
  isQuestion,
  isSignedOn,
  postSignOff,
  registerForSignOff,
  type SignedOn,
  signedOn,
  signOff,
} from './signed-on.ts'

suite('sign-off', () => {
  let stile: Stile
  let app: Registered
  let other: Registered
  before(async () => {
    stile = await startStile()
    app = await registerForSignOff(stile)
    other = await registerForSignOff(stile)
  })
  after(() => stile.close())

  /** Expects the page that says it is done, after the redirect that leads there. */
  async function expectSignedOffPage(browser: Browser, answer: Answer): Promise<void> {
    assert.ok(answer.status === 302 || answer.status === 303, answer.text)
    const location = answer.headers.get('location') ?? ''
    assert.ok(location.startsWith(`${stile.authUrl}/${stile.environmentId}/signedOff`), location)
    const page = await browser.send(location.slice(stile.authUrl.length))
    assert.equal(page.status, 200)
    assert.match(page.text, /<h1>You are signed off<\/h1>/)
    assert.equal(page.headers.get('cache-control'), 'no-store')
  }

  /** Expects the page of an error, without a way to anywhere but to sign off here. */
  function expectErrorPage(answer: Answer, key: string): void {
    assert.equal(answer.status, 400, answer.text)
    assert.equal(answer.headers.get('location'), null)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/html/)
    assert.match(answer.text, new RegExp(`<code>${key}</code>`))
    assert.deepEqual(answer.headers.getSetCookie(), [])
    assert.deepEqual(
      Object.keys(fieldsOf(answer)).filter((name) => name !== 'confirmation'),
      [],
    )
  }

  async function expectStillThere({ browser, accessToken }: SignedOn, client = app): Promise<void> {
    assert.ok(await isLive(stile, accessToken), 'the token is alive')
    assert.ok(await isSignedOn(browser, client), 'the browser is signed on')
  }

  async function expectOver({ browser, accessToken }: SignedOn, client = app): Promise<void> {
    assert.equal(await isLive(stile, accessToken), false, 'the token is dead')
    assert.equal(await isSignedOn(browser, client), false, 'the browser is signed on to nothing')
  }

  suite('what an application asks for', () => {
    const full = ({ idToken }: SignedOn) => ({
      id_token_hint: idToken,
      post_logout_redirect_uri: afterSignOff,
      state: randomBytes(96).toString('base64url'),
    })

    test('discovery names the endpoint', async () => {
      const metadata = expectStatus(await stile.send(new URL(stile.discoveryUrl).pathname), 200)
      assert.equal(metadata.end_session_endpoint, `${stile.issuer}/signoff`)
      assert.equal(metadata.ping_end_idp_session_endpoint, `${stile.issuer}/idpSignoff`)
    })

    test('back to the application with its state and nothing else; the session is over', async () => {
      const at = await signedOn(stile, app)
      const request = full(at)
      const answer = await signOff(at.browser, request)
      assert.equal(answer.status, 302)
      assert.equal(answer.headers.get('location'), `${afterSignOff}?state=${request.state}`)
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      const [cleared, ...others] = answer.headers.getSetCookie()
      assert.match(cleared ?? '', new RegExp(`^ST=; Path=/${stile.environmentId}; Max-Age=0; Expires=Thu, 01 Jan 1970`))
      assert.deepEqual(others, [])
      await expectOver(at)
    })

    test('by POST: the same', async () => {
      const at = await signedOn(stile, app)
      const request = full(at)
      // Whatever the origin of its page: what counts is the hint.
      const headers = { origin: 'null', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' }
      const answer = await postSignOff(at.browser, request, headers)
      assert.equal(answer.headers.get('location'), `${afterSignOff}?state=${request.state}`)
      await expectOver(at)
    })

    test('without a state: the address as it was registered', async () => {
      const at = await signedOn(stile, app)
      const { state: _, ...request } = full(at)
      assert.equal((await signOff(at.browser, request)).headers.get('location'), afterSignOff)
      await expectOver(at)
    })

    test('an address that is not registered: an error page, and nobody is signed off', async () => {
      const at = await signedOn(stile, app)
      const request = { ...full(at), post_logout_redirect_uri: 'https://app.test/elsewhere' }
      expectErrorPage(await signOff(at.browser, request), 'post_logout_redirect_uri_rejected')
      await expectStillThere(at)
    })

    test('an address with a query added: an error page', async () => {
      const at = await signedOn(stile, app)
      const request = { ...full(at), post_logout_redirect_uri: `${afterSignOff}?foo=bar` }
      expectErrorPage(await signOff(at.browser, request), 'post_logout_redirect_uri_rejected')
      await expectStillThere(at)
    })

    test('F01: alg none, or anything changed, is no hint', async () => {
      const at = await signedOn(stile, app)
      const [header = '', claims = '', signature = ''] = at.idToken.split('.')
      const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
      const otherClaims = JSON.parse(Buffer.from(claims, 'base64url').toString()) as object
      const forged = Buffer.from(JSON.stringify({ ...otherClaims, sub: randomUUID() })).toString('base64url')
      for (const id_token_hint of [
        `${none}.${claims}.`,
        `${none}.${claims}.${signature}`,
        `${header}.${forged}.${signature}`,
        `${header}.${claims}.`,
        `${header}.${claims}`,
        `${at.idToken}A`,
        'x',
      ]) {
        expectErrorPage(await signOff(at.browser, { ...full(at), id_token_hint }), 'id_token_hint_rejected')
      }
      await expectStillThere(at)
    })

    test('F02: signed by the secret of the client is no hint', async () => {
      const at = await signedOn(stile, app)
      const [, claims = ''] = at.idToken.split('.')
      const input = `${Buffer.from(JSON.stringify({ alg: 'HS256' })).toString('base64url')}.${claims}`
      const signature = createHmac('sha256', app.clientSecret).update(input).digest('base64url')
      const request = { ...full(at), id_token_hint: `${input}.${signature}` }
      expectErrorPage(await signOff(at.browser, request), 'id_token_hint_rejected')
      await expectStillThere(at)
    })

    test('an address without a hint: an error page, from which the user can still sign off here', async () => {
      const at = await signedOn(stile, app)
      const { id_token_hint: _, ...request } = full(at)
      const page = await signOff(at.browser, request)
      expectErrorPage(page, 'post_logout_redirect_uri_rejected')
      await expectStillThere(at)
      await expectSignedOffPage(at.browser, await confirm(at.browser, page))
      await expectOver(at)
    })

    test('without parameters, or with a state alone: the user is asked, and says yes', async () => {
      for (const request of [{}, { state: 'only' }]) {
        const at = await signedOn(stile, app)
        const page = await signOff(at.browser, request)
        assert.ok(isQuestion(page), page.text)
        assert.ok(page.text.includes(stile.user.username))
        await expectStillThere(at)
        await expectSignedOffPage(at.browser, await confirm(at.browser, page))
        await expectOver(at)
      }
    })

    test('a hint without an address: the page that says it is done', async () => {
      const at = await signedOn(stile, app)
      await expectSignedOffPage(at.browser, await signOff(at.browser, { id_token_hint: at.idToken, state: 's' }))
      await expectOver(at)
    })
  })

  suite('I10: nobody is signed off by a page of somebody else', () => {
    const marks = {
      image: { 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' },
      link: { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' },
      'old browser': { referer: 'https://evil.test/' },
    }
    for (const [name, headers] of Object.entries(marks)) {
      test(`by GET, ${name}: a question, and the session goes on`, async () => {
        const at = await signedOn(stile, app)
        assert.ok(isQuestion(await signOff(at.browser, {}, headers)))
        // What says yes travels by the form and by nothing else.
        const { confirmation = '' } = fieldsOf(await signOff(at.browser))
        assert.ok(isQuestion(await signOff(at.browser, { confirmation }, headers)))
        await expectStillThere(at)
      })
    }

    test('by POST of a foreign page: a question; with the confirmation of another browser too', async () => {
      const at = await signedOn(stile, app)
      const attacker = await signedOn(stile, app, await person(stile))
      const { confirmation: theirs = '' } = fieldsOf(await signOff(attacker.browser))
      const { confirmation: own = '' } = fieldsOf(await signOff(at.browser))
      assert.notEqual(theirs, own)
      const foreign = { origin: 'https://evil.test', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' }
      const post = (fields: Record<string, string>, headers: Record<string, string> = foreign) =>
        postSignOff(at.browser, fields, headers)
      for (const fields of [{ state: 's' }, { confirmation: theirs }, { confirmation: '' }, { confirmation: 'true' }]) {
        assert.ok(isQuestion(await post(fields)), JSON.stringify(fields))
      }
      // Even the right one counts only from our own page.
      for (const origin of ['https://evil.test', 'null', stile.authUrl.replace('localhost', '127.0.0.1')]) {
        assert.equal((await post({ confirmation: own }, { ...foreign, origin })).status, 403, origin)
      }
      await expectStillThere(at)
    })

    test('a confirmation is good for one session: a new one has another', async () => {
      const at = await signedOn(stile, app)
      const page = await signOff(at.browser)
      const again = await at.browser.authorize(codeRequest(app, { prompt: 'login' }))
      await submitSignOnPage(at.browser, flowOf(again), stile.user)
      assert.ok(isQuestion(await confirm(at.browser, page)))
      await expectStillThere(at)
    })

    test('the page asks without JavaScript, in the language of the browser, and cannot be framed', async () => {
      const at = await signedOn(stile, app)
      const page = await signOff(at.browser, { ui_locales: 'de' })
      assert.match(page.text, /<html lang="de"/)
      assert.match(page.text, /<h1>Abmelden\?<\/h1>/)
      assert.ok(!page.text.includes('<script'))
      assert.equal(page.headers.get('x-frame-options'), 'DENY')
      assert.match(page.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
      assert.match(page.headers.get('content-security-policy') ?? '', /form-action 'self'/)
      const done = await confirm(at.browser, page)
      const shown = await at.browser.send(new URL(done.headers.get('location') ?? '').href.slice(stile.authUrl.length))
      assert.match(shown.text, /<h1>Sie sind abgemeldet<\/h1>/)
    })
  })

  suite('I11: hints', () => {
    test('a hint of one’s own session that has expired works', async () => {
      const at = await signedOn(stile, app)
      const { kernel } = stile.node
      const environment = (await kernel.environments.get(stile.environmentId)) ?? assert.fail()
      const { iat: _, exp: __, ...claims } = decodeJwt(at.idToken)
      const old = Math.floor(Date.now() / 1000) - 7 * 24 * 3600
      const expired = await signJwt(signingKeyFor(environment, {}, Date.now()), {
        ...claims,
        iat: old,
        exp: old + 3600,
      })
      const answer = await signOff(at.browser, { id_token_hint: expired, post_logout_redirect_uri: afterSignOff })
      assert.equal(answer.headers.get('location'), afterSignOff)
      await expectOver(at)
    })

    test('a hint of another user, or of another session of the same user, is no word of this one: a question', async () => {
      const someone = await person(stile)
      const at = await signedOn(stile, app, someone)
      const theirs = await signedOn(stile, app)
      const elsewhere = await signedOn(stile, app, someone)
      for (const { idToken } of [theirs, elsewhere]) {
        const request = { id_token_hint: idToken, post_logout_redirect_uri: afterSignOff, state: 'a b' }
        const page = await signOff(at.browser, request)
        assert.ok(isQuestion(page))
        assert.ok(page.text.includes(someone.username) && !page.text.includes(stile.user.username))
        assert.ok(!page.text.includes(idToken))
        assert.deepEqual(fieldsOf(page)['client_id'], app.clientId)
      }
      for (const each of [at, theirs, elsewhere]) await expectStillThere(each)

      const page = await signOff(at.browser, {
        id_token_hint: theirs.idToken,
        post_logout_redirect_uri: afterSignOff,
        state: 'a b',
      })
      const done = await confirm(at.browser, page)
      assert.equal(done.status, 200)
      // Browsers would hold a redirect after the form against its page.
      assert.ok(
        done.text.includes(`<meta http-equiv="refresh" content="0;url=${afterSignOff}?state=a%20b">`),
        done.text,
      )
      await expectOver(at)
      await expectStillThere(theirs)
      await expectStillThere(elsewhere)
    })

    test('client_id beside a hint has to be its client; a hint of a client that is disabled or gone is none', async () => {
      const at = await signedOn(stile, app)
      const hint = { id_token_hint: at.idToken }
      const wrong = await signOff(at.browser, { ...hint, client_id: other.clientId })
      expectErrorPage(wrong, 'id_token_hint_rejected')
      const leaving = await registerForSignOff(stile)
      const there = await signedOn(stile, leaving, stile.user, at.browser)
      await change(stile, leaving.clientId, { enabled: false })
      for (const end of [async () => {}, () => stile.api('DELETE', `/applications/${leaving.clientId}`)]) {
        await end()
        expectErrorPage(await signOff(at.browser, { id_token_hint: there.idToken }), 'id_token_hint_rejected')
        expectErrorPage(await signOff(at.browser, { client_id: leaving.clientId }), 'unknown_client')
      }
      await expectStillThere(at)
      const right = await signOff(at.browser, { ...hint, client_id: app.clientId })
      await expectSignedOffPage(at.browser, right)
      await expectOver(at)
    })

    test('E13: a hint of another environment is none here, and no other token of ours is a hint', async () => {
      const elsewhere = await otherEnvironment(stile)
      const there = await signedOn(elsewhere, await registerForSignOff(elsewhere), await person(elsewhere))
      const at = await signedOn(stile, app)
      for (const id_token_hint of [there.idToken, at.accessToken]) {
        expectErrorPage(await signOff(at.browser, { id_token_hint }), 'id_token_hint_rejected')
      }
      await expectStillThere(at)
      assert.ok(await isLive(elsewhere, there.accessToken))
    })

    test('client_id alone: the user is asked, then goes back', async () => {
      const at = await signedOn(stile, app)
      const request = { client_id: app.clientId, post_logout_redirect_uri: afterSignOff, state: 's' }
      const page = await signOff(at.browser, request)
      assert.ok(isQuestion(page))
      const done = await confirm(at.browser, page)
      assert.ok(done.text.includes(`href="${afterSignOff}?state=s"`), done.text)
      assert.match(done.headers.get('content-security-policy') ?? '', /form-action 'none'/)
      await expectOver(at)
    })

    test('D11: a parameter that comes twice', async () => {
      const at = await signedOn(stile, app)
      const twice = `id_token_hint=${at.idToken}&state=1&state=2`
      const path = `/${stile.environmentId}/as/signoff`
      assert.equal((await at.browser.send(`${path}?${twice}`)).status, 400)
      const mediaType = 'application/x-www-form-urlencoded'
      expectErrorPage(await at.browser.send(path, { body: twice, mediaType }), 'invalid_request')
      await expectStillThere(at)
    })
  })

  suite('I12: where a browser may be sent', () => {
    const uris = [
      ...refusedForWeb.map(({ row, uris: all }) => ({
        row,
        uris: all.map((uri) => uri.replaceAll('/cb', '/signed-off')),
      })),
      { row: 'A12', uris: dangerousUris },
    ]
    for (const { row, uris: all } of uris) {
      test(`${row}: none of its addresses, whoever is signed on`, async () => {
        const at = await signedOn(stile, app)
        const nobody = new Browser(stile)
        for (const post_logout_redirect_uri of all) {
          for (const browser of [at.browser, nobody]) {
            for (const named of [{ id_token_hint: at.idToken }, { client_id: app.clientId }]) {
              const answer = await signOff(browser, { ...named, post_logout_redirect_uri })
              expectErrorPage(answer, 'post_logout_redirect_uri_rejected')
            }
          }
        }
        await expectStillThere(at)
      })
    }

    test('A12: an address that runs code is not used even where it got into a row', async () => {
      const tampered = await registerForSignOff(stile)
      const { kernel } = stile.node
      const application = await kernel.environments.application(stile.environmentId, tampered.clientId)
      const document = JSON.stringify({ ...application?.document, postLogoutRedirectUris: dangerousUris })
      const key = { environment_id: stile.environmentId, id: tampered.clientId }
      await kernel.storage.commit({ name: 'test.tamper', run: () => update('applications', key, { document }) })
      kernel.environments.forget(stile.environmentId)
      for (const uri of dangerousUris) {
        const request = { client_id: tampered.clientId, post_logout_redirect_uri: uri }
        expectErrorPage(await signOff(new Browser(stile), request), 'post_logout_redirect_uri_rejected')
      }
    })

    test('an address of another application, or nobody’s: no', async () => {
      const elsewhere = await registerForSignOff(stile, { postLogoutRedirectUris: ['https://other.test/bye'] })
      for (const client of [app, elsewhere]) {
        const uri = client === app ? 'https://other.test/bye' : afterSignOff
        const request = { client_id: client.clientId, post_logout_redirect_uri: uri }
        expectErrorPage(await signOff(new Browser(stile), request), 'post_logout_redirect_uri_rejected')
      }
      const alone = await signOff(new Browser(stile), { post_logout_redirect_uri: afterSignOff })
      expectErrorPage(alone, 'post_logout_redirect_uri_rejected')
    })

    test('whoever is signed on to nothing is sent on at once, and a dead cookie is cleared', async () => {
      const at = await signedOn(stile, app)
      await signOff(at.browser, { id_token_hint: at.idToken })
      const request = { id_token_hint: at.idToken, post_logout_redirect_uri: afterSignOff, state: '1' }
      assert.equal((await signOff(new Browser(stile), request)).headers.get('location'), `${afterSignOff}?state=1`)
      const old = new Browser(stile)
      old.cookie = `ST=${randomUUID()}`
      const answer = await signOff(old, request)
      assert.equal(answer.headers.get('location'), `${afterSignOff}?state=1`)
      assert.match(answer.headers.getSetCookie()[0] ?? '', /^ST=; /)
      await expectSignedOffPage(old, await signOff(new Browser(stile)))
    })

    test('a registered query is kept, and the state is added to it', async () => {
      const uri = 'https://app.test/signed-off?from=stile'
      const client = await registerForSignOff(stile, { postLogoutRedirectUris: [uri] })
      const at = await signedOn(stile, client)
      const request = { id_token_hint: at.idToken, post_logout_redirect_uri: uri, state: 'a&b' }
      assert.equal((await signOff(at.browser, request)).headers.get('location'), `${uri}&state=a%26b`)
    })
  })

  suite('what ends', () => {
    test('I13, B20, E08: the old cookie, codes, tokens and open flows of the session', async () => {
      const at = await signedOn(stile, app)
      const old = new Browser(stile)
      old.cookie = at.browser.cookie
      const pending = codeOf(await at.browser.authorize(codeRequest(other)))
      const flowId = flowOf(await at.browser.authorize(codeRequest(app, { prompt: 'login' })))
      await signOff(at.browser, { id_token_hint: at.idToken })
      assert.equal(await isSignedOn(old, app), false)
      assert.equal((await old.flow(flowId)).status, 404)
      const page = await old.send(`/${stile.environmentId}/signon/?flowId=${flowId}`)
      assert.equal(page.status, 404)
      assert.equal(page.headers.get('cache-control'), 'no-store')
      expectRefusal(await redeemCode(stile, other, pending), 'invalid_grant')
      assert.equal(await isLive(stile, at.accessToken), false)
      const families = await rows<{ readonly revoked_at: number | null }>(
        stile,
        'token_families',
        'session_id = $2',
        at.sessionId,
      )
      assert.ok(families.length > 0 && families.every(({ revoked_at }) => revoked_at !== null))
    })

    test('E28: every application of the browser, but not what was granted for when its user is away', async () => {
      const someone = await person(stile)
      const at = await signedOn(stile, app, someone)
      const there = await signedOn(stile, other, someone, at.browser)
      const elsewhere = await signedOn(stile, app, someone)
      const renewing = { ...web, grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] }
      const tokensOf = async (client: Registered, scope: string) =>
        expectStatus(await redeemCode(stile, client, await obtainCode(at.browser, codeRequest(client, { scope }))), 200)
      const [bound, offline] = [await register(stile, renewing), await register(stile, renewing, ['offline_access'])]
      const [boundTokens, offlineTokens] = [
        await tokensOf(bound, 'openid'),
        await tokensOf(offline, 'openid offline_access'),
      ]
      const answer = await signOff(at.browser, { id_token_hint: at.idToken })
      assert.ok(!answer.text.includes(other.clientId))
      assert.equal(await isLive(stile, there.accessToken), false)
      assert.ok(await isLive(stile, elsewhere.accessToken), 'another browser of the same user goes on')
      expectRefusal(await refreshTokens(stile, bound, boundTokens.refresh_token), 'invalid_grant')
      assert.equal(await isLive(stile, boundTokens.access_token), false)
      expectStatus(await refreshTokens(stile, offline, offlineTokens.refresh_token), 200)
      assert.ok(await isLive(stile, offlineTokens.access_token))
    })

    test('it is told in the audit, once, with who asked', async () => {
      const at = await signedOn(stile, app)
      await Promise.all(Array.from({ length: 10 }, () => signOff(at.browser, { id_token_hint: at.idToken })))
      const events = await rows<{
        readonly action: string
        readonly actor_client_id: string
        readonly document: string
      }>(stile, 'events', 'subject_id = $2', at.sessionId)
      const ended = events.filter(({ action }) => action === 'SESSION.DELETED')
      assert.deepEqual(
        ended.map(({ actor_client_id, document }) => [actor_client_id, JSON.parse(document)]),
        [[app.clientId, { userId: at.userId, kind: 'sign-off' }]],
      )
    })
  })

  suite('I14: without the cookie of the session', () => {
    test('the session that the hint names ends where its application has idpSignoff, and not otherwise', async () => {
      for (const idpSignoff of [true, false]) {
        const client = await registerForSignOff(stile, { idpSignoff })
        const at = await signedOn(stile, client)
        const without = new Browser(stile)
        const answer = await signOff(without, { id_token_hint: at.idToken, post_logout_redirect_uri: afterSignOff })
        assert.equal(answer.headers.get('location'), afterSignOff)
        assert.equal(await isLive(stile, at.accessToken), !idpSignoff)
        assert.equal(await isSignedOn(at.browser, client), !idpSignoff)
      }
    })

    test('whoever signs on next in that browser gets tokens of their own alone', async () => {
      const client = await registerForSignOff(stile, { idpSignoff: true })
      const victim = await signedOn(stile, client)
      victim.browser.cookie = undefined
      await signOff(victim.browser, { id_token_hint: victim.idToken })
      const someone = await person(stile)
      const next = await signedOn(stile, client, someone, victim.browser)
      assert.equal(next.userId, someone.id)
      assert.notEqual(next.sessionId, victim.sessionId)
      assert.equal(await isLive(stile, victim.accessToken), false)
    })
  })

  suite('D12: scripts of an application', () => {
    const script = (origin: string) => ({ origin, 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'cross-site' })

    test('its own may, and read the answer; others may not', async () => {
      const at = await signedOn(stile, app)
      const hint = { id_token_hint: at.idToken }
      for (const origin of ['https://evil.test', 'null', 'https://app.test.evil.test', 'http://app.test']) {
        const answer = await signOff(at.browser, hint, script(origin))
        assert.equal(answer.status, 403, origin)
        assert.equal(answer.headers.get('access-control-allow-origin'), null)
      }
      const image = { 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'cross-site' }
      assert.equal((await signOff(at.browser, hint, image)).status, 403)
      await expectStillThere(at)
      const answer = await signOff(at.browser, hint, script('https://app.test'))
      assert.equal(answer.status, 302)
      assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.test')
      assert.equal(answer.headers.get('access-control-allow-credentials'), 'true')
      await expectOver(at)
    })
  })
})
