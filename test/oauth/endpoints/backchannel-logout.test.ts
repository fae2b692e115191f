/**
 * Back-Channel Logout 1.0: who is told, of what, in which ways of ending; rows E11, E28, G01, I14, I20, Q09.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { after, before, suite, test } from 'node:test'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { notify } from '../../../src/delivery/notification.ts'
import { rows } from '../../flow-runtime/arrange.ts'
import { type ProviderServer, startProviderServer } from '../../harness/provider-server.ts'
import { type Call, type Stile, startStile } from '../../harness/stile.ts'
import { codeOf, codeRequest, flowOf, isLive, refreshTokens, submitSignOnPage } from '../journeys.ts'
import { change, expectStatus, type Person, person, type Registered, web } from '../registrations.ts'
import { afterSignOff, registerForSignOff, type SignedOn, signedOn, signOff } from './signed-on.ts'

const event = 'http://schemas.openid.net/event/backchannel-logout'

suite('back-channel logout', () => {
  let stile: Stile
  let receiver: ProviderServer
  before(async () => {
    stile = await startStile()
    receiver = await startProviderServer()
    receiver.status = 200
  })
  after(async () => {
    await stile.close()
    await receiver.close()
  })

  /** An application that is told at an address of its own. */
  async function toldApplication(
    more: object = {},
    scopes?: readonly string[],
  ): Promise<Registered & { readonly path: string }> {
    const path = `/logout/${randomUUID()}`
    const properties = {
      backchannelLogoutUri: `${receiver.url}${path}`,
      backchannelLogoutSessionRequired: true,
      ...more,
    }
    return { ...(await registerForSignOff(stile, properties, scopes)), path }
  }

  const arrivedAt = ({ path }: { readonly path: string }) => receiver.received.filter(({ target }) => target === path)

  /** The claims of what arrived at an application, once so much has arrived. */
  async function tokensOf(client: { readonly path: string }, count = 1) {
    await until(() => arrivedAt(client).length >= count)
    const arrived = arrivedAt(client)
    assert.equal(arrived.length, count)
    return arrived.map(({ form }) => decodeJwt(form['logout_token'] ?? ''))
  }

  /** That nothing is promised to be sent any more: what arrived by then is all there is. */
  const settled = () => until(async () => (await rows(stile, 'outbox', 'kind = $2', 'logout.send')).length === 0)

  /** Waits for something that the outbox brings about; it need not wait for its timer. */
  async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
    for (let waited = 0; waited < 10_000; waited += 10) {
      if (await happened()) return
      stile.node.kernel.wakeOutbox()
      await pause(10)
    }
    assert.fail('it did not happen')
  }

  test('Q09: one logout token, of the session and its user, and nothing else', async () => {
    const app = await toldApplication()
    const at = await signedOn(stile, app)
    const answer = await signOff(at.browser, {
      id_token_hint: at.idToken,
      post_logout_redirect_uri: afterSignOff,
      state: 'a b',
    })
    assert.equal(answer.headers.get('location'), `${afterSignOff}?state=a%20b`)
    await tokensOf(app)
    const [request] = arrivedAt(app)
    assert.ok(request)
    assert.equal(request.method, 'POST')
    assert.equal(request.headers['content-type'], 'application/x-www-form-urlencoded')
    assert.deepEqual(Object.keys(request.form), ['logout_token'])
    const keys = createRemoteJWKSet(new URL(`http://127.0.0.1:${stile.node.port}/${stile.environmentId}/as/jwks`))
    const { payload, protectedHeader } = await jwtVerify(request.form['logout_token'] ?? '', keys, {
      issuer: stile.issuer,
      audience: app.clientId,
      typ: 'logout+jwt',
    })
    const { alg, kid } = protectedHeader
    assert.deepEqual(protectedHeader, { kid, alg, typ: 'logout+jwt' })
    const { iat = 0, jti } = payload
    assert.ok(Math.abs(iat * 1000 - Date.now()) < 60_000)
    assert.match(jti ?? '', /^[0-9a-f-]{36}$/)
    assert.deepEqual(payload, {
      iss: stile.issuer,
      sub: at.userId,
      aud: app.clientId,
      iat,
      exp: iat + 120,
      jti,
      events: { [event]: {} },
      sid: at.sessionId,
    })
    await settled()
    assert.equal(arrivedAt(app).length, 1)
    const events = await rows<{ readonly action: string; readonly session_id: string }>(
      stile,
      'events',
      'subject_id = $2',
      app.clientId,
    )
    assert.deepEqual(
      events.filter(({ action }) => action.startsWith('LOGOUT')).map((each) => [each.action, each.session_id]),
      [['LOGOUT_TOKEN.SENT', at.sessionId]],
    )
  })

  test('E11: a logout token is no access token, and no hint', async () => {
    const app = await toldApplication()
    const at = await signedOn(stile, app)
    await signOff(at.browser, { id_token_hint: at.idToken })
    await tokensOf(app)
    const token = arrivedAt(app)[0]?.form['logout_token'] ?? ''
    assert.equal((await stile.send(`/${stile.environmentId}/as/userinfo`, { token })).status, 401)
    assert.equal((await signOff(at.browser, { id_token_hint: token })).status, 400)
  })

  suite('every way in which a session ends', () => {
    const userPath = ({ userId }: SignedOn) => `/users/${userId}`
    const logout: Call = { mediaType: 'application/vnd.pingidentity.sso.session.logout' }
    const ways: Readonly<Record<string, (at: SignedOn, who: Person) => Promise<unknown>>> = {
      'sign-off': ({ browser, idToken }) => signOff(browser, { id_token_hint: idToken }),
      'sign-off by an ID token alone': async ({ idToken }) =>
        expectStatus(await stile.send(`/${stile.environmentId}/as/idpSignoff?id_token_hint=${idToken}`), 204),
      'an administrator deletes the session': async (at) =>
        expectStatus(await stile.api('DELETE', `${userPath(at)}/sessions/${at.sessionId}`), 204),
      'an administrator signs the session off': async (at) =>
        expectStatus(await stile.api('POST', `/sessions/${at.sessionId}`, {}, logout), 204),
      'the cookie signs the session off': async ({ browser }) =>
        expectStatus(
          await stile.send(`/v1/environments/${stile.environmentId}/sessions/me`, {
            ...logout,
            method: 'POST',
            headers: { cookie: browser.cookie ?? '' },
          }),
          204,
        ),
      'the user is disabled': async (at) =>
        expectStatus(await stile.api('PUT', `${userPath(at)}/enabled`, { enabled: false }), 200),
      'the user is deleted': async (at) => expectStatus(await stile.api('DELETE', userPath(at)), 204),
      'somebody else signs on in the same browser': async ({ browser }) => {
        const flowId = flowOf(await browser.authorize(codeRequest(stile.webApp, { prompt: 'login' })))
        const submitted = await submitSignOnPage(browser, flowId, await person(stile))
        assert.equal(submitted.status, 303, submitted.text)
      },
    }
    for (const [way, end] of Object.entries(ways)) {
      test(`${way}: every application that took part is told once, and no other`, async () => {
        const [first, second, absent] = [
          await toldApplication({ idpSignoff: true }),
          await toldApplication({ backchannelLogoutSessionRequired: false }),
          await toldApplication(),
        ]
        const [who, neighbour] = [await person(stile), await person(stile)]
        const at = await signedOn(stile, first, who)
        await signedOn(stile, first, who, at.browser)
        await signedOn(stile, second, who, at.browser)
        // A code that nobody redeemed: its application knows of no session.
        codeOf(await at.browser.authorize(codeRequest(absent)))
        const other = await signedOn(stile, absent, neighbour)
        await end(at, who)
        const [told] = await tokensOf(first)
        assert.deepEqual([told?.sub, told?.['sid']], [at.userId, at.sessionId])
        const [also] = await tokensOf(second)
        assert.equal(also?.sub, at.userId)
        assert.equal(also?.['sid'], way.startsWith('the user') ? undefined : at.sessionId)
        await settled()
        assert.deepEqual(
          [first, second, absent].map((client) => arrivedAt(client).length),
          [1, 1, 0],
        )
        assert.equal(await isLive(stile, at.accessToken), false)
        assert.ok(await isLive(stile, other.accessToken))
      })
    }

    test('of a user with several sessions: session by session where the application wants that, else once', async () => {
      const [bySession, byUser] = [
        await toldApplication(),
        await toldApplication({ backchannelLogoutSessionRequired: false }),
      ]
      const who = await person(stile)
      const browsers = [await signedOn(stile, bySession, who), await signedOn(stile, bySession, who)]
      for (const { browser } of browsers) await signedOn(stile, byUser, who, browser)
      const ended = await signedOn(stile, bySession, who)
      await signOff(ended.browser, { id_token_hint: ended.idToken })
      await tokensOf(bySession)
      expectStatus(await stile.api('PUT', `/users/${who.id}/enabled`, { enabled: false }), 200)
      const [, ...told] = await tokensOf(bySession, 3)
      assert.deepEqual(
        told.map((claims) => claims['sid']).toSorted(),
        browsers.map(({ sessionId }) => sessionId).toSorted(),
      )
      const [once] = await tokensOf(byUser)
      assert.deepEqual([once?.sub, once?.['sid']], [who.id, undefined])
      await settled()
      assert.equal(arrivedAt(byUser).length, 1)
    })

    test('E28: an application whose grant goes on is told that the session is over', async () => {
      const properties = { grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] }
      const away = await toldApplication(properties, ['profile', 'offline_access'])
      const at = await signedOn(stile, away, stile.user, undefined, 'openid profile offline_access')
      await signOff(at.browser, { id_token_hint: at.idToken })
      const [claims] = await tokensOf(away)
      assert.deepEqual([claims?.sub, claims?.['sid']], [at.userId, at.sessionId])
      expectStatus(await refreshTokens(stile, away, at.refreshToken), 200)
    })

    test('enabling a user again revives no session', async () => {
      const app = await toldApplication()
      const who = await person(stile)
      const at = await signedOn(stile, app, who)
      for (const enabled of [false, true]) {
        expectStatus(await stile.api('PUT', `/users/${who.id}/enabled`, { enabled }), 200)
      }
      assert.equal(await isLive(stile, at.accessToken), false)
    })
  })

  test('an application that is disabled, or takes its address away before it is told, is not asked', async () => {
    const [disabled, silent] = [await toldApplication(), await toldApplication()]
    const at = await signedOn(stile, disabled)
    await signedOn(stile, silent, stile.user, at.browser)
    await change(stile, disabled.clientId, { enabled: false })
    await change(stile, silent.clientId, { backchannelLogoutUri: null })
    const sessions = await stile.api(
      'POST',
      `/sessions/${at.sessionId}`,
      {},
      {
        mediaType: 'application/vnd.pingidentity.sso.session.logout',
      },
    )
    assert.equal(sessions.status, 204)
    await settled()
    assert.deepEqual([arrivedAt(disabled).length, arrivedAt(silent).length], [0, 0])
  })

  test('Q09, R27: an application that never answers holds up neither the sign-off nor the others, nor a notification', async () => {
    let asked = 0
    const stuck = createServer(() => {
      asked += 1
    })
    stuck.listen(0, '127.0.0.1')
    await once(stuck, 'listening')
    try {
      const backchannelLogoutUri = `http://127.0.0.1:${(stuck.address() as AddressInfo).port}/logout`
      const away = await registerForSignOff(stile, { backchannelLogoutUri })
      const app = await toldApplication()
      const ends: SignedOn[] = []
      for (let at = 0; at < 3; at += 1) ends.push(await signedOn(stile, away))
      const last = await signedOn(stile, app)
      for (const { browser, idToken } of ends) {
        const request = { id_token_hint: idToken, post_logout_redirect_uri: afterSignOff }
        assert.equal((await signOff(browser, request)).headers.get('location'), afterSignOff)
      }
      await until(() => asked === 2)
      const { kernel } = stile.node
      const environment = (await kernel.environments.get(stile.environmentId)) ?? assert.fail()
      const now = kernel.world.now()
      const message = {
        template: 'new_device_paired',
        to: 'ada@example.com',
        userId: stile.user.id,
        locales: [],
      } as const
      await kernel.storage.commit({
        name: 'test.notify',
        *run() {
          yield notify(kernel.world, environment, { ...message, variables: {} }, now)
        },
      })
      kernel.wakeOutbox()
      await until(async () => (await rows(stile, 'outbox', 'kind = $2', 'notification.send')).length === 0)
      assert.equal(asked, 2, 'no more at a time')
      stuck.closeAllConnections()
      await signOff(last.browser, { id_token_hint: last.idToken })
      await tokensOf(app)
      await until(async () => {
        const waiting = await rows<{ readonly payload: string }>(stile, 'outbox', 'kind = $2', 'logout.send')
        return waiting.length === 3 && waiting.every(({ payload }) => payload.includes(away.clientId))
      })
    } finally {
      stuck.closeAllConnections()
      stuck.close()
    }
  })

  test('G01, G02, G05: an address that the server may not ask is refused when it is registered', async () => {
    const refused = [
      'http://10.0.0.5/logout',
      'https://10.0.0.5/logout',
      'https://169.254.169.254/latest',
      'https://[fd00:ec2::254]/',
      'https://192.168.1.1:8443/',
      'https://app.test@127.0.0.1/',
      'https://0x7f.1/',
      'https://app.test/logout#f',
      'file:///etc/passwd',
      'gopher://app.test/',
      'javascript:alert(1)',
    ]
    for (const backchannelLogoutUri of refused) {
      const answer = await stile.api('POST', '/applications', { ...web, name: 'Refused', backchannelLogoutUri })
      assert.equal(answer.status, 400, backchannelLogoutUri)
      assert.equal(answer.json.details[0].target, 'backchannelLogoutUri')
    }
    const members = {
      backchannelLogoutUri: 'https://app.test/logout?tenant=1',
      backchannelLogoutSessionRequired: true,
      frontchannelLogoutUri: 'https://app.test/front?x=1',
      frontchannelLogoutSessionRequired: false,
    }
    const client = await registerForSignOff(stile, members)
    const read = expectStatus(await stile.api('GET', `/applications/${client.clientId}`), 200)
    for (const [name, value] of Object.entries(members)) assert.equal(read[name], value, name)
  })
})
