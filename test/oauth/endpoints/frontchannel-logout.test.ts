/** Front-Channel Logout 1.0 over HTTP: rows A12, E28, I16, I17. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { update } from '../../../src/storage/operations.ts'
import { type Answer, type Stile, startStile } from '../../harness/stile.ts'
import { dangerousUris } from '../redirect-uri-corpus.ts'
import { change, person, type Registered, web } from '../registrations.ts'
import { afterSignOff, confirm, isSignedOn, registerForSignOff, signedOn, signOff } from './signed-on.ts'

suite('front-channel logout', () => {
  let stile: Stile
  let plain: Registered
  before(async () => {
    stile = await startStile()
    plain = await registerForSignOff(stile)
  })
  after(() => stile.close())

  const framed = (uri: string, more: object = {}) =>
    registerForSignOff(stile, { redirectUris: [new URL('/cb', uri).href], frontchannelLogoutUri: uri, ...more })
  const framesOf = ({ text }: Answer) =>
    [...text.matchAll(/<iframe [^>]*src="([^"]*)"><\/iframe>/g)].map(([, src = '']) => src.replaceAll('&amp;', '&'))
  const policyOf = (answer: Answer) => answer.headers.get('content-security-policy') ?? ''

  test('the page of the application in a frame, with issuer and session, then back', async () => {
    const app = await framed('https://one.test/front', { frontchannelLogoutSessionRequired: true })
    const at = await signedOn(stile, app)
    const page = await signOff(at.browser, {
      id_token_hint: at.idToken,
      post_logout_redirect_uri: afterSignOff,
      state: 's t',
    })
    assert.equal(page.status, 200)
    const query = `iss=${encodeURIComponent(stile.issuer)}&sid=${at.sessionId}`
    assert.deepEqual(framesOf(page), [`https://one.test/front?${query}`])
    assert.match(policyOf(page), /; frame-src https:\/\/one\.test;/)
    assert.match(policyOf(page), /form-action 'none'; frame-ancestors 'none'/)
    assert.equal(page.headers.get('cache-control'), 'no-store')
    assert.ok(page.text.includes(`<a class="button" id="next" href="${afterSignOff}?state=s%20t">`))
    assert.ok(
      page.text.includes(
        `<noscript><meta http-equiv="refresh" content="5;url=${afterSignOff}?state=s%20t"></noscript>`,
      ),
    )
    assert.match(page.text, /<iframe hidden sandbox="allow-scripts allow-same-origin allow-forms" referrerpolicy/)
    assert.equal(await isSignedOn(at.browser, app), false)
  })

  test('E28: a frame for each application of this session that has one, and for no other', async () => {
    const [one, two, absent, disabled] = [
      await framed('https://one.test/front?x=1', { frontchannelLogoutSessionRequired: true }),
      await framed('https://two.test:8443/front'),
      await framed('https://three.test/front'),
      await framed('https://four.test/front'),
    ]
    const who = await person(stile)
    const at = await signedOn(stile, plain, who)
    for (const client of [one, two, disabled]) await signedOn(stile, client, who, at.browser)
    await signedOn(stile, one, who, at.browser)
    await signedOn(stile, absent, who)
    await change(stile, disabled.clientId, { enabled: false })
    const page = await signOff(at.browser, { id_token_hint: at.idToken })
    const query = `iss=${encodeURIComponent(stile.issuer)}&sid=${at.sessionId}`
    assert.deepEqual(framesOf(page).toSorted(), [`https://one.test/front?x=1&${query}`, 'https://two.test:8443/front'])
    assert.match(
      policyOf(page),
      /frame-src (https:\/\/one\.test https:\/\/two\.test:8443|https:\/\/two\.test:8443 https:\/\/one\.test);/,
    )
    assert.ok(!page.text.includes('id="next"'))
    assert.match(page.text, /<h1>You are signed off<\/h1>/)
    for (const client of [one, two]) assert.ok(!page.text.includes(client.clientId))
  })

  test('after the question too, and on an IPv6 loopback, which a policy cannot name', async () => {
    const local = await framed('http://[::1]:3000/front')
    const at = await signedOn(stile, local)
    const page = await confirm(at.browser, await signOff(at.browser))
    assert.deepEqual(framesOf(page), ['http://[::1]:3000/front'])
    assert.match(policyOf(page), /; frame-src http:;/)
  })

  test('an address of another origin than the redirect URIs, or one that runs code, is refused at registration', async () => {
    const refused = [
      ...dangerousUris,
      'https://other.test/front',
      'https://app.test:8443/front',
      'http://app.test/front',
      'https://app.test/front#f',
      'com.example.app:/front',
      '/front',
    ]
    for (const frontchannelLogoutUri of refused) {
      const answer = await stile.api('POST', '/applications', { ...web, name: 'Refused', frontchannelLogoutUri })
      assert.equal(answer.status, 400, frontchannelLogoutUri)
      assert.equal(answer.json.details[0].target, 'frontchannelLogoutUri')
    }
  })

  test('A12: one that got into a row by another way is not loaded', async () => {
    const { kernel } = stile.node
    for (const frontchannelLogoutUri of dangerousUris.slice(0, 3)) {
      const app = await registerForSignOff(stile)
      const at = await signedOn(stile, app)
      const application = await kernel.environments.application(stile.environmentId, app.clientId)
      const document = JSON.stringify({ ...application?.document, frontchannelLogoutUri })
      const key = { environment_id: stile.environmentId, id: app.clientId }
      await kernel.storage.commit({ name: 'test.tamper', run: () => update('applications', key, { document }) })
      kernel.environments.forget(stile.environmentId)
      const answer = await signOff(at.browser, { id_token_hint: at.idToken })
      assert.equal(answer.status, 302, frontchannelLogoutUri)
    }
  })
})
