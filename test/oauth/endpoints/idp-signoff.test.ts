/** Sign-off by an ID token alone: authentication-api 2.18 and 8.4; rows I11, I14, E13; decision D12. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { Browser } from '../../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../../harness/stile.ts'
import { isLive } from '../journeys.ts'
import { change, expectStatus, otherEnvironment, person, type Registered } from '../registrations.ts'
import { isSignedOn, registerForSignOff, signedOn } from './signed-on.ts'

suite('sign-off by an ID token alone', () => {
  let stile: Stile
  let app: Registered
  before(async () => {
    stile = await startStile()
    app = await registerForSignOff(stile, { idpSignoff: true })
  })
  after(() => stile.close())

  const idpSignOff = (
    parameters: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> =>
    stile.send(`/${stile.environmentId}/as/idpSignoff?${new URLSearchParams(parameters)}`, { headers })

  function expectRefused(answer: Answer, error: string): void {
    assert.deepEqual([answer.status, answer.json?.error], [400, error], answer.text)
    assert.deepEqual(answer.headers.getSetCookie(), [])
  }

  test('204 without a page, a redirect or a cookie; the session is over, and asking again changes nothing', async () => {
    const at = await signedOn(stile, app)
    for (const _ of [1, 2]) {
      const answer = await idpSignOff({ id_token_hint: at.idToken })
      assert.deepEqual([answer.status, answer.text, answer.headers.get('location')], [204, '', null])
      assert.deepEqual(answer.headers.getSetCookie(), [])
    }
    assert.equal(await isLive(stile, at.accessToken), false)
    assert.equal(await isSignedOn(at.browser, app), false)
  })

  test('as the SDK calls it: by fetch from the page of the application, with its cookies', async () => {
    const at = await signedOn(stile, app)
    const path = `/${stile.environmentId}/as/idpSignoff?${new URLSearchParams({ id_token_hint: at.idToken, client_id: app.clientId })}`
    const foreign = await at.browser.send(path, { headers: { origin: 'https://evil.test' } })
    assert.equal(foreign.status, 403)
    assert.equal(foreign.headers.get('access-control-allow-origin'), null)
    assert.ok(await isLive(stile, at.accessToken))
    const answer = await at.browser.send(path, { headers: { origin: 'https://app.test' } })
    assert.equal(answer.status, 204)
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.test')
    assert.equal(answer.headers.get('access-control-allow-credentials'), 'true')
    assert.match(answer.headers.getSetCookie()[0] ?? '', /^ST=; /)
    const preflight = await stile.send(path, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.test', 'access-control-request-method': 'GET' },
    })
    assert.equal(preflight.headers.get('access-control-allow-credentials'), 'true')
  })

  test('a cookie of another session stays', async () => {
    const at = await signedOn(stile, app)
    const someone = await signedOn(stile, app, await person(stile))
    const answer = await idpSignOff({ id_token_hint: at.idToken }, { cookie: someone.browser.cookie ?? '' })
    assert.equal(answer.status, 204)
    assert.deepEqual(answer.headers.getSetCookie(), [])
    assert.ok(await isLive(stile, someone.accessToken))
  })

  test('an application that does not have it ends nothing', async () => {
    const plain = await registerForSignOff(stile)
    const at = await signedOn(stile, plain)
    expectRefused(await idpSignOff({ id_token_hint: at.idToken }), 'unauthorized_client')
    assert.ok(await isLive(stile, at.accessToken))
    await change(stile, plain.clientId, { idpSignoff: true })
    expectStatus(await idpSignOff({ id_token_hint: at.idToken }), 204)
  })

  test('I11, E13: no hint, a forged one, one of another client, environment or kind, or of an application that is gone', async () => {
    const at = await signedOn(stile, app)
    const elsewhere = await otherEnvironment(stile)
    const there = await signedOn(
      elsewhere,
      await registerForSignOff(elsewhere, { idpSignoff: true }),
      await person(elsewhere),
    )
    expectRefused(await idpSignOff({}), 'invalid_request')
    expectRefused(await idpSignOff({ id_token_hint: '' }), 'invalid_request')
    for (const id_token_hint of ['x', `${at.idToken}x`, at.accessToken, there.idToken]) {
      expectRefused(await idpSignOff({ id_token_hint }), 'invalid_request')
    }
    expectRefused(await idpSignOff({ id_token_hint: at.idToken, client_id: stile.webApp.clientId }), 'invalid_request')
    const leaving = await registerForSignOff(stile, { idpSignoff: true })
    const last = await signedOn(stile, leaving, stile.user, at.browser)
    await change(stile, leaving.clientId, { enabled: false })
    expectRefused(await idpSignOff({ id_token_hint: last.idToken }), 'invalid_request')
    assert.ok(await isLive(stile, at.accessToken))
    assert.ok(await isLive(elsewhere, there.accessToken))
    assert.ok(await isSignedOn(new Browser(stile), app).then((signed) => !signed))
  })

  test('by POST: there is none', async () => {
    assert.equal((await stile.send(`/${stile.environmentId}/as/idpSignoff`, { method: 'POST' })).status, 405)
  })
})
