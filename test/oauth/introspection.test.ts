/** Introspection over HTTP: RFC 7662, RFC 9701, authentication-api 2.11; rows E11-E16, D01, D15. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { Browser } from '../harness/sign-on.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { codeRequest, expectRefusal, obtainCode, redeemCode, refreshTokens, sendForm } from './journeys.ts'
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
  setPassword,
  spa,
  web,
  wrk,
} from './registrations.ts'

/** A resource that introspects. */
interface Server extends Pick<Registered, 'clientId' | 'clientSecret'> {
  readonly resource: Resource
  readonly audience: string
}

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
}

suite('introspection', () => {
  let world: TestWorld
  let stile: Stile
  let orders: Server
  let bills: Server
  let app: Registered
  let worker: Registered
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    orders = await server('orders:read')
    bills = await server('bills:read')
    app = await register(stile, { ...web, grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] })
    worker = await register(stile, wrk, [])
    for (const client of [app, worker]) {
      await grant(stile, client.clientId, orders.resource.id, [orders.resource.scope('orders:read')])
    }
  })
  after(() => stile.close())

  async function server(scope: string, members: object = {}): Promise<Server> {
    const audience = `https://${randomUUID()}.test/api`
    const resource = await customResource(stile, { audience, ...members }, [scope])
    const { secret } = expectStatus(await stile.api('GET', `/resources/${resource.id}/secret`), 200)
    return { resource, audience, clientId: resource.id, clientSecret: secret }
  }
  async function granted(scope = 'openid orders:read', who?: Person, browser = new Browser(stile)): Promise<Tokens> {
    const code = await obtainCode(browser, codeRequest(app, { scope }), who)
    return expectStatus(await redeemCode(stile, app, code), 200)
  }
  const applicationToken = async (client = worker) => {
    const answer = await sendForm(stile, 'token', client, { grant_type: 'client_credentials', scope: 'orders:read' })
    return expectStatus(answer, 200).access_token as string
  }
  type Caller = Pick<Registered, 'clientId' | 'clientSecret'>
  const ask = (caller: Caller, token: string, more: Readonly<Record<string, string>> = {}) =>
    sendForm(stile, 'introspect', caller, { token, ...more })
  const toldOf = async (caller: Caller, token: string) => expectStatus(await ask(caller, token), 200)
  const expectInactive = async (caller: Caller, token: string) => {
    const answer = await ask(caller, token)
    assert.deepEqual([answer.status, answer.text], [200, '{"active":false}'])
  }

  suite('what is told', () => {
    test('of an access token of a user: what it says, but for what is our own business', async () => {
      const { access_token } = await granted()
      const claims = decodeJwt(access_token)
      const told = await toldOf(orders, access_token)
      assert.deepEqual(told, {
        active: true,
        token_type: 'Bearer',
        client_id: app.clientId,
        iss: stile.issuer,
        sub: stile.user.id,
        aud: [orders.audience],
        scope: 'openid orders:read',
        jti: claims.jti,
        iat: claims.iat,
        exp: claims.exp,
        auth_time: claims['auth_time'],
        acr: 'Single_Factor',
      })
      assert.deepEqual(await toldOf(app, access_token), told)
    })

    test('of an application token', async () => {
      const token = await applicationToken()
      for (const caller of [orders, worker]) {
        const { active, client_id, sub, scope, aud } = await toldOf(caller, token)
        assert.deepEqual(
          [active, client_id, sub, scope, aud],
          [true, worker.clientId, undefined, 'orders:read', [orders.audience]],
        )
      }
    })

    test('of a refresh token, to its application: that it is the present one, and until when', async () => {
      const { refresh_token } = await granted()
      const told = await toldOf(app, refresh_token)
      const { iat, exp, ...rest } = told
      assert.deepEqual(rest, {
        active: true,
        client_id: app.clientId,
        iss: stile.issuer,
        sub: stile.user.id,
        scope: 'openid orders:read',
      })
      assert.deepEqual([iat, exp - iat], [Math.floor(world.now() / 1000), 2_592_000])
      const next = expectStatus(await refreshTokens(stile, app, refresh_token), 200)
      await expectInactive(app, refresh_token)
      assert.equal((await toldOf(app, next.refresh_token)).active, true)
    })

    test('of an ID token, to its application: never as if it were an access token', async () => {
      const { id_token } = await granted()
      const { iat, exp, auth_time } = decodeJwt(id_token)
      assert.deepEqual(await toldOf(app, id_token), {
        active: true,
        client_id: app.clientId,
        iss: stile.issuer,
        sub: stile.user.id,
        aud: app.clientId,
        iat,
        exp,
        auth_time,
        acr: 'Single_Factor',
      })
    })

    test('a hint changes nothing', async () => {
      const { access_token, refresh_token } = await granted()
      for (const token_type_hint of ['access_token', 'refresh_token', 'nonsense']) {
        for (const token of [access_token, refresh_token]) {
          assert.equal(expectStatus(await ask(app, token, { token_type_hint }), 200).active, true)
        }
      }
    })

    test('every question is recorded, with who asked', async () => {
      await toldOf(bills, 'x')
      await stile.node.kernel.volumeEvents.flush()
      const text = `SELECT subject_type, subject_id, document FROM events
                    WHERE environment_id = $1 AND action = 'TOKEN.INTROSPECTED' AND subject_id = $2`
      const rows = await stile.node.kernel.storage.read({ text, values: [stile.environmentId, bills.clientId] })
      assert.deepEqual(rows.at(-1), {
        subject_type: 'RESOURCE',
        subject_id: bills.clientId,
        document: JSON.stringify({ active: false }),
      })
    })
  })

  suite('RFC 9701: signed answers', () => {
    const signed = 'application/token-introspection+jwt'
    const askFor = (accept: string, token: string) =>
      stile.send(`/${stile.environmentId}/as/introspect`, {
        body: new URLSearchParams({ token }),
        headers: { authorization: basic(orders.clientId, orders.clientSecret), accept },
      })

    test('are for whoever asked, and no token of another kind', async () => {
      const { access_token } = await granted()
      const { json: keys } = await stile.send(`/${stile.environmentId}/as/jwks`)
      for (const [token, expected] of [
        [access_token, await toldOf(orders, access_token)],
        ['x', { active: false }],
      ] as const) {
        const answer = await askFor(signed, token)
        assert.equal(answer.headers.get('content-type'), signed)
        const checks = { issuer: stile.issuer, audience: orders.clientId, typ: 'token-introspection+jwt' }
        const { payload } = await jwtVerify(answer.text, createLocalJWKSet(keys), {
          ...checks,
          currentDate: new Date(world.now()),
        })
        assert.deepEqual(Object.keys(payload).toSorted(), ['aud', 'iat', 'iss', 'token_introspection'])
        assert.deepEqual(payload['token_introspection'], expected)
        await expectInactive(orders, answer.text)
      }
    })

    test('come only where they are asked for', async () => {
      for (const [accept, type] of [
        [`${signed}, application/json;q=0.5`, signed],
        [`application/json;q=0.5, ${signed.toUpperCase()}`, signed],
        [`application/json, ${signed};q=0.5`, 'application/json;charset=UTF-8'],
        [`${signed};q=0`, 'application/json;charset=UTF-8'],
        ['*/*', 'application/json;charset=UTF-8'],
        ['', 'application/json;charset=UTF-8'],
      ] as const) {
        assert.equal((await askFor(accept, 'x')).headers.get('content-type'), type, accept)
      }
    })
  })

  suite('who is told', () => {
    test('E15: nobody but the audience and the application it was issued to', async () => {
      const { access_token, refresh_token, id_token } = await granted()
      const platform = await granted('openid profile')
      const other = await register(stile, { ...web, grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] })
      const singlePage = await register(stile, spa)
      for (const token of [access_token, refresh_token, id_token, platform.access_token, await applicationToken()]) {
        for (const caller of [bills, other, singlePage]) await expectInactive(caller, token)
      }
      await expectInactive(worker, access_token)
    })

    test('E12: a token for the platform is none for a resource, nor one of several resources for a third', async () => {
      const platform = await granted('openid profile')
      await expectInactive(orders, platform.access_token)
      await expectInactive(orders, await stile.workerToken())
      const members = { grantTypes: ['CLIENT_CREDENTIALS'], requestScopesForMultipleResourcesEnabled: true }
      const both = await register(stile, { ...wrk, ...members }, [])
      for (const { resource } of [orders, bills]) {
        const scope = resource === orders.resource ? 'orders:read' : 'bills:read'
        await grant(stile, both.clientId, resource.id, [resource.scope(scope)])
      }
      const form = { grant_type: 'client_credentials', scope: 'orders:read bills:read' }
      const { access_token } = expectStatus(await sendForm(stile, 'token', both, form), 200)
      for (const caller of [orders, bills]) assert.equal((await toldOf(caller, access_token)).active, true)
      await expectInactive(await server('other:read'), access_token)
    })

    test('E11: a resource is told of access tokens alone', async () => {
      const { refresh_token, id_token } = await granted()
      for (const token of [refresh_token, id_token]) await expectInactive(orders, token)
    })

    test('E13, E14: nothing of another environment, and nothing in one that does not exist', async () => {
      const other = await otherEnvironment(stile)
      const there = await register(other, { ...web, grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] }, [])
      const { access_token, refresh_token, id_token } = await granted()
      for (const token of [access_token, refresh_token, id_token]) {
        const answer = await sendForm(stile, 'introspect', there, { token }, other.environmentId)
        assert.deepEqual(expectStatus(answer, 200), { active: false })
        expectRefusal(await sendForm(stile, 'introspect', app, { token }, other.environmentId), 'invalid_client')
        assert.equal((await sendForm(stile, 'introspect', app, { token }, randomUUID())).status, 404)
      }
    })
  })

  suite('authentication', () => {
    test('D01, D02: by the registered method of the application, and no other', async () => {
      const { access_token: token } = await granted()
      const path = `/${stile.environmentId}/as/introspect`
      const { clientId: client_id, clientSecret: client_secret } = app
      for (const form of [{ token }, { token, client_id }, { token, client_id, client_secret }]) {
        expectRefusal(await stile.send(path, { body: new URLSearchParams(form) }), 'invalid_client')
      }
      expectRefusal(await ask({ ...app, clientSecret: 'wrong' }, token), 'invalid_client')
      expectRefusal(await ask({ clientId: randomUUID(), clientSecret: 'x' }, token), 'invalid_client')
      expectRefusal(await sendForm(stile, 'introspect', app, {}), 'invalid_request')
      assert.equal((await stile.send(path)).status, 405)
    })

    test('of a resource, by introspectEndpointAuthMethod', async () => {
      const { access_token: token } = await granted()
      const path = `/${stile.environmentId}/as/introspect`
      const { clientId: client_id, clientSecret: client_secret, resource, audience } = orders
      const forms: Readonly<Record<string, () => Promise<{ status: number; json: { active?: boolean } }>>> = {
        CLIENT_SECRET_BASIC: () => ask(orders, token),
        CLIENT_SECRET_POST: () => stile.send(path, { body: new URLSearchParams({ token, client_id, client_secret }) }),
        NONE: () => stile.send(path, { body: new URLSearchParams({ token, client_id }) }),
      }
      const { name } = expectStatus(await stile.api('GET', `/resources/${resource.id}`), 200)
      for (const introspectEndpointAuthMethod of [...Object.keys(forms), 'CLIENT_SECRET_BASIC']) {
        const body = { name, audience, introspectEndpointAuthMethod }
        expectStatus(await stile.api('PUT', `/resources/${resource.id}`, body), 200)
        for (const [method, send] of Object.entries(forms)) {
          const { status, json } = await send()
          const expected = method === introspectEndpointAuthMethod ? [200, true] : [401, undefined]
          assert.deepEqual([status, json.active], expected, `${method} at ${introspectEndpointAuthMethod}`)
        }
      }
    })

    test('of a resource, by its present secret, and the one before as long as that was given', async () => {
      const { access_token: token } = await granted()
      const before = { ...orders }
      const expiresAt = new Date(world.now() + 60_000).toISOString()
      const rotated = expectStatus(
        await stile.api('POST', `/resources/${orders.clientId}/secret`, { previous: { expiresAt } }),
        200,
      )
      orders = { ...orders, clientSecret: rotated.secret }
      for (const caller of [before, orders]) assert.equal((await toldOf(caller, token)).active, true)
      expectStatus(await stile.api('DELETE', `/resources/${orders.clientId}/secret`), 204)
      expectRefusal(await ask(before, token), 'invalid_client')
      assert.equal((await toldOf(orders, token)).active, true)
      const mixed = { ...orders, clientSecret: bills.clientSecret }
      expectRefusal(await ask(mixed, token), 'invalid_client')
      expectRefusal(await sendForm(stile, 'token', orders, { grant_type: 'client_credentials' }), 'invalid_client')
    })

    test('browsers of other origins may not read it', async () => {
      const answer = await stile.send(`/${stile.environmentId}/as/introspect`, {
        body: new URLSearchParams({ token: 'x' }),
        headers: { authorization: basic(app.clientId, app.clientSecret), origin: 'https://app.test' },
      })
      assert.equal(answer.headers.get('access-control-allow-origin'), null)
    })
  })

  suite('E16: what has ended', () => {
    const vendor = (operation: string) => ({ mediaType: `application/vnd.pingidentity.${operation}+json` })

    test('is not active, without a reason: revoked, malformed, forged', async () => {
      const { access_token, refresh_token } = await granted()
      const [head, body] = access_token.split('.')
      const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')
      for (const token of ['', ' ', 'x', '.', '..', `${head}.${body}.`, `${none}.${body}.`, 'é', 'a'.repeat(20_000)]) {
        if (token !== '') await expectInactive(orders, token)
      }
      expectStatus(await sendForm(stile, 'revoke', app, { token: refresh_token }), 200)
      for (const caller of [orders, app]) await expectInactive(caller, access_token)
      await expectInactive(app, refresh_token)
    })

    const endings: Readonly<Record<string, (who: Person, session: string) => Promise<unknown>>> = {
      'the user is disabled': ({ id }) => stile.api('PUT', `/users/${id}/enabled`, { enabled: false }),
      'the user is deleted': ({ id }) => stile.api('DELETE', `/users/${id}`),
      'the user is locked': ({ id }) => stile.api('POST', `/users/${id}`, {}, vendor('account.lock')),
      'the session is ended': ({ id }, session) => stile.api('DELETE', `/users/${id}/sessions/${session}`),
    }
    for (const [what, end] of Object.entries(endings)) {
      test(`E08, D23: ${what}`, async () => {
        const who = await person(stile)
        const { access_token, refresh_token, id_token } = await granted('openid orders:read', who)
        for (const token of [access_token, refresh_token, id_token]) {
          assert.equal((await toldOf(app, token)).active, true)
        }
        await end(who, decodeJwt(access_token)['sid'] as string)
        await expectInactive(orders, access_token)
        for (const token of [access_token, refresh_token, id_token]) await expectInactive(app, token)
      })
    }

    test('a password that was changed ends the refresh token', async () => {
      const who = await person(stile)
      const { refresh_token } = await granted('openid orders:read', who)
      world.advance(1)
      await setPassword(stile, who.id, 'Nine-Purple-Tigers-88')
      await expectInactive(app, refresh_token)
    })

    test('the application that it was issued to is disabled', async () => {
      const members = { ...wrk, type: 'SERVICE' }
      const client = await register(stile, members, [])
      await grant(stile, client.clientId, orders.resource.id, [orders.resource.scope('orders:read')])
      const token = await applicationToken(client)
      assert.equal((await toldOf(orders, token)).active, true)
      await change(stile, client.clientId, { enabled: false })
      await expectInactive(orders, token)
    })

    test('the resource is deleted: its server is nobody any more', async () => {
      const gone = await server('gone:read')
      expectStatus(await stile.api('DELETE', `/resources/${gone.clientId}`), 204)
      expectRefusal(await ask(gone, 'x'), 'invalid_client')
    })

    test('its time is over', async () => {
      const { access_token, id_token } = await granted()
      world.advance(3600_000)
      await stile.node.kernel.environments.poll()
      await expectInactive(orders, access_token)
      await expectInactive(app, id_token)
    })
  })
})
