/** Token exchange over HTTP: an agent acts for a user. RFC 8693, authentication-api 2.17; rows E26, E13, D22. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { signingKeyFor } from '../../src/environment/signing-key-choice.ts'
import { signJwt } from '../../src/keys/jws.ts'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  codeOf,
  codeRequest,
  expectRefusal,
  flowOf,
  isLive,
  obtainCode,
  redeemCode,
  sendForm,
  submitSignOnPage,
} from './journeys.ts'
import {
  change,
  customResource,
  expectStatus,
  grant,
  otherEnvironment,
  type Person,
  person,
  type Registered,
  register,
  type Resource,
  web,
} from './registrations.ts'

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
const idToken = 'urn:ietf:params:oauth:token-type:id_token'

/** Both resources can be granted to it; each of its tokens is for one of them all the same. */
const frontBody = { ...web, requestScopesForMultipleResourcesEnabled: true }

/** An application that acts for users and, by itself, for nobody. */
const agentBody = {
  ...frontBody,
  type: 'SERVICE',
  grantTypes: ['TOKEN_EXCHANGE', 'CLIENT_CREDENTIALS'],
  responseTypes: [],
  redirectUris: [],
}

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
}

suite('token exchange', () => {
  let world: TestWorld
  let stile: Stile
  let calendar: Resource
  let mail: Resource
  let front: Registered
  let agent: Registered
  let introspector: Pick<Registered, 'clientId' | 'clientSecret'>
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    const short = { audience: 'https://calendar.test', accessTokenValiditySeconds: 600 }
    calendar = await customResource(stile, short, ['calendar:read', 'calendar:write'])
    mail = await customResource(stile, { audience: 'mail-api' }, ['mail:read'])
    front = await register(stile, { ...frontBody, grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] })
    agent = await register(stile, agentBody, [])
    for (const client of [front, agent]) await grantBoth(client)
    const { secret } = expectStatus(await stile.api('GET', `/resources/${calendar.id}/secret`), 200)
    introspector = { clientId: calendar.id, clientSecret: secret }
  })
  after(() => stile.close())

  async function grantBoth({ clientId }: Registered): Promise<void> {
    await grant(stile, clientId, calendar.id, [calendar.scope('calendar:read'), calendar.scope('calendar:write')])
    await grant(stile, clientId, mail.id, [mail.scope('mail:read')])
  }
  async function signedOn(client = front, scope = 'openid profile', who?: Person): Promise<Tokens> {
    const code = await obtainCode(new Browser(stile), codeRequest(client, { scope }), who)
    return expectStatus(await redeemCode(stile, client, code), 200)
  }
  type Form = Readonly<Record<string, string>>
  const ask = (client: Registered, token: string, more: Form = {}, type = accessToken): Promise<Answer> =>
    sendForm(stile, 'token', client, { grant_type: exchange, subject_token: token, subject_token_type: type, ...more })
  const exchanged = async (client: Registered, token: string, more: Form = {}): Promise<string> =>
    expectStatus(await ask(client, token, more), 200).access_token
  const ownToken = async (client: Registered): Promise<string> =>
    expectStatus(await sendForm(stile, 'token', client, { grant_type: 'client_credentials', scope: 'mail:read' }), 200)
      .access_token
  const isActive = async (token: string): Promise<boolean> =>
    expectStatus(await sendForm(stile, 'introspect', introspector, { token }), 200).active
  const calendarOnly = { scope: 'calendar:read' }

  test('an agent acts for a user: who, for whom, where, and for how long', async () => {
    const { access_token } = await signedOn()
    const subject = decodeJwt(access_token)
    const actor = { actor_token: await ownToken(agent), actor_token_type: accessToken }
    const answer = await ask(agent, access_token, { ...calendarOnly, ...actor, requested_token_type: accessToken })
    const { access_token: token, ...rest } = expectStatus(answer, 200)
    assert.deepEqual(rest, {
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'calendar:read',
      issued_token_type: accessToken,
    })
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    const { jti: _jti, ...claims } = decodeJwt(token)
    assert.deepEqual(claims, {
      client_id: agent.clientId,
      iss: stile.issuer,
      iat: Math.floor(world.now() / 1000),
      exp: Math.floor(world.now() / 1000) + 600,
      aud: ['https://calendar.test'],
      scope: 'calendar:read',
      sub: stile.user.id,
      sid: subject['sid'],
      auth_time: subject['auth_time'],
      acr: subject['acr'],
      act: { sub: agent.clientId },
      env: stile.environmentId,
      org: stile.organizationId,
      'p1.gid': subject['p1.gid'],
    })
    const told = expectStatus(await sendForm(stile, 'introspect', introspector, { token }), 200)
    assert.deepEqual([told.active, told.sub, told.act], [true, stile.user.id, { sub: agent.clientId }])
    await stile.node.kernel.volumeEvents.flush()
    const text = `SELECT actor_client_id, actor_user_id, document FROM events
                  WHERE environment_id = $1 AND action = 'TOKEN.EXCHANGED' AND subject_id = $2`
    const values = [stile.environmentId, subject['p1.gid'] as string]
    assert.deepEqual(await stile.node.kernel.storage.read({ text, values }), [
      {
        actor_client_id: agent.clientId,
        actor_user_id: stile.user.id,
        document: JSON.stringify({ actor: agent.clientId }),
      },
    ])
  })

  test('without an actor token nobody is said to act; the client is named', async () => {
    const { access_token } = await signedOn()
    const claims = decodeJwt(await exchanged(agent, access_token, calendarOnly))
    assert.deepEqual([claims['act'], claims['client_id']], [undefined, agent.clientId])
  })

  test('an agent of an agent: each is named, and none has more than those before', async () => {
    const second = await register(stile, agentBody, [])
    await grantBoth(second)
    const { access_token } = await signedOn()
    const actorOf = async (client: Registered) => ({
      actor_token: await ownToken(client),
      actor_token_type: accessToken,
    })
    const first = await exchanged(agent, access_token, { ...calendarOnly, ...(await actorOf(agent)) })
    const last = await exchanged(second, first, { ...calendarOnly, ...(await actorOf(second)) })
    const claims = decodeJwt(last)
    assert.deepEqual(claims['act'], { sub: second.clientId, act: { sub: agent.clientId } })
    assert.equal(claims['p1.gid'], decodeJwt(access_token)['p1.gid'])
    const silent = decodeJwt(await exchanged(second, first, calendarOnly))
    assert.deepEqual(silent['act'], { sub: agent.clientId }, 'what was is not forgotten')

    const narrow = await register(stile, web, ['profile'])
    await grant(stile, narrow.clientId, calendar.id, [calendar.scope('calendar:read')])
    const narrowed = await exchanged(agent, (await signedOn(narrow)).access_token, calendarOnly)
    expectRefusal(await ask(second, narrowed, { scope: 'calendar:write' }), 'invalid_scope')
    expectRefusal(await ask(second, narrowed, { scope: 'mail:read' }), 'invalid_scope')
  })

  test('a user may act for another, by a token of the same client', async () => {
    const desk = await register(stile, { ...frontBody, grantTypes: ['AUTHORIZATION_CODE', 'TOKEN_EXCHANGE'] })
    await grantBoth(desk)
    const helper = await person(stile)
    const { access_token: actor_token } = await signedOn(desk, 'openid', helper)
    const { access_token } = await signedOn()
    const actor = { actor_token, actor_token_type: accessToken }
    const token = await exchanged(desk, access_token, { ...calendarOnly, ...actor })
    assert.deepEqual(decodeJwt(token)['act'], { sub: helper.id })
    expectRefusal(await ask(agent, access_token, { ...calendarOnly, ...actor }), 'invalid_request')
    expectStatus(await stile.api('PUT', `/users/${helper.id}/enabled`, { enabled: false }), 200)
    expectRefusal(await ask(desk, access_token, { ...calendarOnly, ...actor }), 'invalid_request')
  })

  test('an ID token is for the client that it was issued to, and lives by a grant of that session', async () => {
    const both = await register(stile, { ...frontBody, grantTypes: ['AUTHORIZATION_CODE', 'TOKEN_EXCHANGE'] })
    await grantBoth(both)
    const own = await signedOn(both)
    const answer = await ask(both, own.id_token, calendarOnly, idToken)
    const token = expectStatus(answer, 200).access_token
    assert.equal(decodeJwt(token)['p1.gid'], decodeJwt(own.access_token)['p1.gid'])
    expectRefusal(await ask(agent, own.id_token, calendarOnly, idToken), 'invalid_request')
    expectRefusal(await ask(both, (await signedOn()).id_token, calendarOnly, idToken), 'invalid_request')
    expectStatus(
      await stile.api('DELETE', `/users/${stile.user.id}/sessions/${String(decodeJwt(own.id_token)['sid'])}`),
      204,
    )
    expectRefusal(await ask(both, own.id_token, calendarOnly, idToken), 'invalid_request')
    assert.equal(await isActive(token), false)
  })

  suite('what it is for', () => {
    test('by scope, by audience, by resource, and by all of them together', async () => {
      const { access_token } = await signedOn()
      for (const [more, audience, scope] of [
        [{ scope: 'mail:read' }, 'mail-api', 'mail:read'],
        [{ audience: 'mail-api' }, 'mail-api', 'mail:read'],
        [{ audience: 'https://calendar.test' }, 'https://calendar.test', 'calendar:read calendar:write'],
        [{ resource: 'https://calendar.test' }, 'https://calendar.test', 'calendar:read calendar:write'],
        [
          { resource: 'https://calendar.test', audience: 'https://calendar.test', scope: 'calendar:write' },
          'https://calendar.test',
          'calendar:write',
        ],
      ] as const) {
        const claims = decodeJwt(await exchanged(agent, access_token, more))
        assert.deepEqual([claims.aud, claims['scope']], [[audience], scope])
      }
    })

    test('E26: nothing for the platform, for two, for what is unknown, or for nothing that is said', async () => {
      const { access_token } = await signedOn()
      for (const more of [
        {},
        { audience: stile.apiUrl },
        { resource: stile.apiUrl },
        { audience: 'unknown' },
        { audience: 'mail-api', resource: 'https://calendar.test' },
      ]) {
        expectRefusal(await ask(agent, access_token, more), 'invalid_target')
      }
      for (const scope of [
        'openid',
        'profile',
        'offline_access',
        'p1:read:user',
        'unknown',
        'mail:read calendar:read',
      ]) {
        expectRefusal(await ask(agent, access_token, { scope }), 'invalid_scope')
      }
    })

    test('E26: never more than the client, or the application of the user, could have', async () => {
      const small = await register(stile, agentBody, [])
      await grant(stile, small.clientId, mail.id, [mail.scope('mail:read')])
      const { access_token } = await signedOn()
      expectRefusal(await ask(small, access_token, calendarOnly), 'invalid_scope')
      const plain = await register(stile)
      const { access_token: ofPlain } = await signedOn(plain)
      expectRefusal(await ask(agent, ofPlain, calendarOnly), 'invalid_scope')
      expectRefusal(await ask(agent, ofPlain, { audience: 'mail-api' }), 'invalid_scope')
    })

    test('E26: nor than the user consented to', async () => {
      const client = await register(stile, { ...frontBody, requireConsent: true }, ['profile'])
      await grantBoth(client)
      const who = await person(stile)
      const browser = new Browser(stile)
      const flowId = flowOf(await browser.authorize(codeRequest(client, { scope: 'openid calendar:read' })))
      await submitSignOnPage(browser, flowId, who)
      const allowed = await browser.send(`/${stile.environmentId}/signon/?flowId=${flowId}`, {
        body: new URLSearchParams({ action: 'oauth.consent', accept: 'true' }),
        headers: { origin: stile.authUrl, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' },
      })
      assert.equal(allowed.status, 303)
      const code = codeOf(await browser.resume(flowId))
      const { access_token } = expectStatus(await redeemCode(stile, client, code), 200)
      await exchanged(agent, access_token, calendarOnly)
      expectRefusal(await ask(agent, access_token, { scope: 'calendar:write' }), 'invalid_scope')
      expectRefusal(await ask(agent, access_token, { scope: 'mail:read' }), 'invalid_scope')
      const [consent] = expectStatus(await stile.api('GET', `/users/${who.id}/oauthConsents`), 200)._embedded
        .oauthConsents
      const token = await exchanged(agent, access_token, calendarOnly)
      expectStatus(await stile.api('DELETE', `/users/${who.id}/oauthConsents/${consent.id}`), 204)
      assert.equal(await isActive(token), false)
      expectRefusal(await ask(agent, access_token, calendarOnly), 'invalid_request')
    })

    test('it works nowhere else: not at userinfo, the management API, or as a refresh token; nor is there one', async () => {
      const { access_token } = await signedOn()
      const answer = expectStatus(await ask(agent, access_token, calendarOnly), 200)
      assert.deepEqual([answer.refresh_token, answer.id_token], [undefined, undefined])
      const { access_token: token } = answer
      assert.equal((await stile.send(`/${stile.environmentId}/as/userinfo`, { token })).status, 403)
      expectStatus(await stile.api('GET', '/populations', undefined, { token }), 401)
      const { status } = await stile.api('GET', `/users/${stile.user.id}`, undefined, { token })
      assert.equal(status, 401)
    })
  })

  suite('E26: the tokens', () => {
    test('a subject token that is missing, forged, of another kind, of no user, or of another environment', async () => {
      const { access_token, refresh_token, id_token } = await signedOn()
      const [head, body, signature = ''] = access_token.split('.')
      const forged = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
      for (const token of [
        '',
        'x',
        forged,
        refresh_token,
        id_token,
        await ownToken(agent),
        await stile.workerToken(),
      ]) {
        expectRefusal(await ask(agent, token, calendarOnly), 'invalid_request')
      }
      expectRefusal(await ask(agent, access_token, calendarOnly, idToken), 'invalid_request')
      for (const type of [
        '',
        'urn:ietf:params:oauth:token-type:jwt',
        'urn:ietf:params:oauth:token-type:refresh_token',
      ]) {
        expectRefusal(await ask(agent, access_token, calendarOnly, type), 'invalid_request')
      }
      const other = await otherEnvironment(stile)
      const there = await register(other, agentBody, [])
      const resource = await customResource(other, { audience: 'there' }, ['there:read'])
      await grant(other, there.clientId, resource.id, [resource.scope('there:read')])
      const form = { grant_type: exchange, subject_token: access_token, subject_token_type: accessToken }
      expectRefusal(await sendForm(other, 'token', there, form, other.environmentId), 'invalid_request')
    })

    test('an actor token goes with its type, is the client’s own, and good', async () => {
      const { access_token } = await signedOn()
      const actor_token = await ownToken(agent)
      const wrong: readonly Form[] = [
        { actor_token },
        { actor_token_type: accessToken },
        { actor_token, actor_token_type: idToken },
        { actor_token: 'x', actor_token_type: accessToken },
        { actor_token: access_token, actor_token_type: accessToken },
        { actor_token: await stile.workerToken(), actor_token_type: accessToken },
      ]
      for (const more of wrong) {
        expectRefusal(await ask(agent, access_token, { ...calendarOnly, ...more }), 'invalid_request')
      }
    })

    test('nothing but an access token can be asked for', async () => {
      const { access_token } = await signedOn()
      for (const requested_token_type of [idToken, 'urn:ietf:params:oauth:token-type:refresh_token', 'x']) {
        expectRefusal(await ask(agent, access_token, { ...calendarOnly, requested_token_type }), 'invalid_request')
      }
    })

    test('may_act says who may', async () => {
      const { access_token } = await signedOn()
      const environment = (await stile.node.kernel.environments.get(stile.environmentId)) ?? assert.fail()
      const signingKey = signingKeyFor(environment, {}, Date.now())
      /** A token as it would be with the claim mapped into it. */
      const letting = (may_act: unknown) =>
        Promise.resolve(signJwt(signingKey, { ...decodeJwt(access_token), may_act }, { typ: 'at+jwt' }))
      const actor = { actor_token: await ownToken(agent), actor_token_type: accessToken }
      for (const claim of [{ sub: agent.clientId }, { client_id: agent.clientId, iss: stile.issuer }]) {
        await exchanged(agent, await letting(claim), calendarOnly)
        await exchanged(agent, await letting(claim), { ...calendarOnly, ...actor })
      }
      for (const claim of [{ sub: randomUUID() }, { client_id: front.clientId }, {}, null, agent.clientId]) {
        expectRefusal(await ask(agent, await letting(claim), calendarOnly), 'invalid_request')
      }
    })
  })

  test('applications: confidential, with the grant type, and without consent to ask for', async () => {
    const { access_token } = await signedOn()
    expectRefusal(await ask(front, access_token, calendarOnly), 'unauthorized_client')
    const refused = async (members: object): Promise<string[]> => {
      const answer = await stile.api('POST', '/applications', { ...agentBody, name: 'Refused', ...members })
      return expectStatus(answer, 400).details.map(({ target }: { target: string }) => target)
    }
    assert.deepEqual(await refused({ grantTypes: ['TOKEN_EXCHANGE'], tokenEndpointAuthMethod: 'NONE' }), [
      'tokenEndpointAuthMethod',
    ])
    assert.deepEqual(await refused({ requireConsent: true }), ['requireConsent'])
  })

  suite('D22: it ends with the grant of the subject token', () => {
    const endings: Readonly<Record<string, (who: Person, tokens: Tokens) => Promise<Answer>>> = {
      'the refresh token of the grant is revoked': (_who, { refresh_token: token }) =>
        sendForm(stile, 'revoke', front, { token }),
      'the session is ended': ({ id }, { access_token }) =>
        stile.api('DELETE', `/users/${id}/sessions/${String(decodeJwt(access_token)['sid'])}`),
      'the user is disabled': ({ id }) => stile.api('PUT', `/users/${id}/enabled`, { enabled: false }),
    }
    for (const [what, end] of Object.entries(endings)) {
      test(what, async () => {
        const who = await person(stile)
        const tokens = await signedOn(front, 'openid profile', who)
        const token = await exchanged(agent, tokens.access_token, calendarOnly)
        assert.equal(await isActive(token), true)
        assert.ok((await end(who, tokens)).status < 300)
        assert.equal(await isActive(token), false)
        expectRefusal(await ask(agent, tokens.access_token, calendarOnly), 'invalid_request')
        expectRefusal(await ask(agent, token, calendarOnly), 'invalid_request')
      })
    }

    test('whoever got it by exchange cannot end it, nor the grant it came of', async () => {
      const tokens = await signedOn()
      const token = await exchanged(agent, tokens.access_token, calendarOnly)
      expectRefusal(await sendForm(stile, 'revoke', agent, { token }), 'unsupported_token_type')
      assert.equal(await isActive(token), true)
      assert.equal(await isLive(stile, tokens.access_token), true)
    })

    test('the application of the user, or the one that acts, is disabled', async () => {
      const client = await register(stile, frontBody)
      await grantBoth(client)
      const { access_token } = await signedOn(client)
      const other = await register(stile, agentBody, [])
      await grantBoth(other)
      const token = await exchanged(other, access_token, calendarOnly)
      await change(stile, client.clientId, { enabled: false })
      expectRefusal(await ask(other, access_token, calendarOnly), 'invalid_request')
      await change(stile, other.clientId, { enabled: false })
      assert.equal(await isActive(token), false)
      expectRefusal(await ask(other, access_token, calendarOnly), 'invalid_client')
    })

    test('it does not outlive the tokens it was got by', async () => {
      const tokens = await signedOn()
      world.advance(3_300_000)
      await stile.node.kernel.environments.poll()
      const { expires_in, access_token } = expectStatus(await ask(agent, tokens.access_token, calendarOnly), 200)
      assert.ok(expires_in <= 300)
      const again = expectStatus(await ask(agent, access_token, calendarOnly), 200)
      assert.ok(again.expires_in <= expires_in)
      world.advance(301_000)
      await stile.node.kernel.environments.poll()
      assert.equal(await isActive(again.access_token), false)
      expectRefusal(await ask(agent, tokens.access_token, calendarOnly), 'invalid_request')
    })
  })
})
