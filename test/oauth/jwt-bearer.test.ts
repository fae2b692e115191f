/** JWTs that are a grant by themselves, over HTTP: RFC 7523 section 2.1; rows D24, D25, M14, group F. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { insertLink } from '../../src/directory/linked-accounts.ts'
import { newIdentityProvider, providerBody } from '../flow-runtime/external.ts'
import { hmacJwt, type OpenIdProvider, startOpenIdProvider } from '../harness/openid-provider.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { assertion, clientKey, keySet } from './assertions.ts'
import { expectRefusal, sendForm } from './journeys.ts'
import {
  builtInResource,
  customResource,
  expectStatus,
  grant,
  otherEnvironment,
  type Person,
  person,
  type Registered,
  register,
  type Resource,
  wrk,
} from './registrations.ts'

const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const key = clientKey('ES256', 'one')
const bearing = { ...wrk, type: 'SERVICE', grantTypes: ['JWT_BEARER'], jwks: keySet(key) }

suite('JWTs as grants', () => {
  let upstream: OpenIdProvider
  let stile: Stile
  let orders: Resource
  let introspector: Pick<Registered, 'clientId' | 'clientSecret'>
  let client: Registered
  let providerId: string
  before(async () => {
    upstream = await startOpenIdProvider()
    stile = await startStile()
    orders = await customResource(stile, { audience: 'https://orders.test' }, ['orders:read'])
    const { secret } = expectStatus(await stile.api('GET', `/resources/${orders.id}/secret`), 200)
    introspector = { clientId: orders.id, clientSecret: secret }
    client = await withOrders(bearing)
    providerId = await newIdentityProvider(stile, upstream, { acceptsAssertions: true })
  })
  after(async () => {
    await stile.close()
    await upstream.close()
  })

  async function withOrders(properties: object): Promise<Registered> {
    const registered = await register(stile, properties, [])
    await grant(stile, registered.clientId, orders.id, [orders.scope('orders:read')])
    return registered
  }
  /** Somebody whose account at the provider is linked. */
  async function linked(): Promise<Person & { readonly subject: string }> {
    const who = await person(stile)
    const subject = randomUUID()
    const { storage, world } = stile.node.kernel
    await storage.commit({
      name: 'test.link',
      run: () => insertLink(world, stile.environmentId, who.id, { providerId, subject }, Date.now()),
    })
    return { ...who, subject }
  }
  const claimsOf = (subject: string, otherwise: object = {}): Record<string, unknown> => {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: upstream.issuer,
      sub: subject,
      aud: stile.issuer,
      jti: randomUUID(),
      iat: now,
      exp: now + 300,
    }
    return { ...claims, ...otherwise }
  }
  const present = (jwt: string, more: Readonly<Record<string, string>> = { scope: 'orders:read' }, as = client) =>
    sendForm(stile, 'token', as, { grant_type: grantType, assertion: jwt, ...more })
  const isActive = async (token: string): Promise<boolean> =>
    expectStatus(await sendForm(stile, 'introspect', introspector, { token }), 200).active

  suite('of an identity provider', () => {
    test('gives a token of the user whose account it names, of no session, and nothing beside it', async () => {
      const who = await linked()
      const { access_token, ...rest } = expectStatus(await present(upstream.sign(claimsOf(who.subject))), 200)
      assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 3600, scope: 'orders:read' })
      const { jti: _jti, iat: _iat, exp: _exp, 'p1.gid': grantId, ...claims } = decodeJwt(access_token)
      assert.deepEqual(claims, {
        client_id: client.clientId,
        iss: stile.issuer,
        aud: ['https://orders.test'],
        scope: 'orders:read',
        sub: who.id,
        env: stile.environmentId,
        org: stile.organizationId,
      })
      assert.equal(await isActive(access_token), true)
      const text = 'SELECT action, actor_user_id, document FROM events WHERE environment_id = $1 AND subject_id = $2'
      assert.deepEqual(
        await stile.node.kernel.storage.read({ text, values: [stile.environmentId, grantId as string] }),
        [{ action: 'TOKEN.ISSUED', actor_user_id: who.id, document: JSON.stringify({ identityProvider: providerId }) }],
      )
      assert.equal((await stile.send(`/${stile.environmentId}/as/userinfo`, { token: access_token })).status, 403)
      expectStatus(await stile.api('GET', `/users/${who.id}`, undefined, { token: access_token }), 401)
      expectStatus(await sendForm(stile, 'revoke', client, { token: access_token }), 200)
      assert.equal(await isActive(access_token), false)
    })

    test('only for custom resources, and only what the application was granted', async () => {
      const { subject } = await linked()
      const all = expectStatus(await present(upstream.sign(claimsOf(subject)), {}), 200)
      assert.equal(all.scope, 'orders:read')
      for (const [more, error] of [
        [{ scope: 'openid' }, 'invalid_scope'],
        [{ scope: 'offline_access' }, 'invalid_scope'],
        [{ resource: 'https://unknown.test' }, 'invalid_target'],
        [{ resource: stile.apiUrl }, 'invalid_target'],
      ] as const) {
        expectRefusal(await present(upstream.sign(claimsOf(subject)), more), error)
      }
      const administering = await withOrders(bearing)
      const platform = await builtInResource(stile, 'PINGONE_API')
      await grant(stile, administering.clientId, platform.id, [platform.scope('p1:read:user')])
      const both = await present(upstream.sign(claimsOf(subject)), { scope: 'p1:read:user orders:read' }, administering)
      assert.equal(expectStatus(both, 200).scope, 'orders:read')
      const platformAlone = { scope: 'p1:read:user' }
      expectRefusal(await present(upstream.sign(claimsOf(subject)), platformAlone, administering), 'invalid_scope')
      const poor = await register(stile, bearing, [])
      expectRefusal(await present(upstream.sign(claimsOf(subject)), {}, poor), 'invalid_target')
    })

    test('D25: a wrong claim, or none', async () => {
      const { subject } = await linked()
      const now = Math.floor(Date.now() / 1000)
      const wrong: readonly object[] = [
        { aud: `${stile.issuer}/` },
        { aud: `${stile.issuer}/token` },
        { aud: [stile.issuer, 'https://other.test'] },
        { aud: undefined },
        { iss: 'https://other.test' },
        { iss: undefined },
        { iss: providerId },
        { sub: randomUUID() },
        { sub: '' },
        { sub: undefined },
        { jti: undefined },
        { jti: '' },
        { exp: undefined },
        { exp: now - 61 },
        { exp: now + 3700 },
        { nbf: now + 120 },
        { iat: now + 120 },
      ]
      for (const claims of wrong) {
        expectRefusal(await present(upstream.sign(claimsOf(subject, claims))), 'invalid_grant')
      }
      const other = await otherEnvironment(stile)
      expectRefusal(await present(upstream.sign(claimsOf(subject, { aud: other.issuer }))), 'invalid_grant')
      expectStatus(await present(upstream.sign(claimsOf(subject, { aud: [stile.issuer] }))), 200)
    })

    test('D25: a key, an algorithm or a kind that is not the provider’s', async () => {
      const { subject } = await linked()
      const other = await startOpenIdProvider()
      const claims = claimsOf(subject)
      const good = upstream.sign(claims)
      const { keys } = (await (await fetch(`${upstream.issuer}/jwks`)).json()) as { keys: [object] }
      const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${good.split('.')[1]}.`
      for (const jwt of [
        other.sign(claims),
        upstream.sign(claims, { alg: 'HS256' }),
        upstream.sign(claims, { crit: ['exp'] }),
        upstream.sign(claims, { typ: 'dpop+jwt' }),
        upstream.sign(claims, { typ: 'client-authentication+jwt' }),
        upstream.sign(claims, { typ: 'logout+jwt' }),
        hmacJwt(claims, JSON.stringify(keys[0])),
        hmacJwt(claims, client.clientSecret),
        unsigned,
        `${good}A`,
        'x',
        await stile.workerToken(),
      ]) {
        expectRefusal(await present(jwt), 'invalid_grant')
      }
      await other.close()
      expectStatus(await present(upstream.sign(claimsOf(subject), { typ: 'authorization-grant+jwt' })), 200)
    })

    test('D25: of a user who may not sign on, or was never linked; a matching name counts for nothing', async () => {
      const who = await linked()
      const vendor = { mediaType: 'application/vnd.pingidentity.account.lock+json' }
      expectRefusal(await present(upstream.sign(claimsOf(who.username))), 'invalid_grant')
      expectRefusal(await present(upstream.sign(claimsOf(who.id))), 'invalid_grant')
      const { access_token } = expectStatus(await present(upstream.sign(claimsOf(who.subject))), 200)
      expectStatus(await stile.api('PUT', `/users/${who.id}/enabled`, { enabled: false }), 200)
      assert.equal(await isActive(access_token), false)
      expectRefusal(await present(upstream.sign(claimsOf(who.subject))), 'invalid_grant')
      const locked = await linked()
      await stile.api('POST', `/users/${locked.id}`, {}, vendor)
      expectRefusal(await present(upstream.sign(claimsOf(locked.subject))), 'invalid_grant')
      const deleted = await linked()
      expectStatus(await stile.api('DELETE', `/users/${deleted.id}`), 204)
      expectRefusal(await present(upstream.sign(claimsOf(deleted.subject))), 'invalid_grant')
    })

    test('M14: of a provider that is disabled, or whose assertions are not taken', async () => {
      const { subject } = await linked()
      const path = `/identityProviders/${providerId}`
      const { json } = await stile.api('GET', path)
      assert.equal(json.acceptsAssertions, true)
      const body = { ...providerBody(upstream.issuer, upstream.clientSecret), name: json.name }
      for (const members of [{ acceptsAssertions: true, enabled: false }, { acceptsAssertions: false }, {}]) {
        expectStatus(await stile.api('PUT', path, { ...body, ...members }), 200)
        expectRefusal(await present(upstream.sign(claimsOf(subject))), 'invalid_grant')
      }
      expectStatus(await stile.api('PUT', path, { ...body, acceptsAssertions: true }), 200)
      expectStatus(await present(upstream.sign(claimsOf(subject))), 200)
    })

    test('it counts once, of twenty at the same time', async () => {
      const { subject } = await linked()
      const jwt = upstream.sign(claimsOf(subject))
      const answers = await Promise.all(Array.from({ length: 20 }, () => present(jwt)))
      assert.equal(answers.filter(({ status }) => status === 200).length, 1)
      for (const answer of answers) if (answer.status !== 200) expectRefusal(answer, 'invalid_grant')
    })
  })

  suite('of the client itself', () => {
    const own = (otherwise: Readonly<Record<string, unknown>> = {}, as = client, by = key) =>
      assertion(stile, as.clientId, by, otherwise)

    test('gives a token as by client_credentials, once', async () => {
      const jwt = await own()
      const { access_token } = expectStatus(await present(jwt), 200)
      const claims = decodeJwt(access_token)
      assert.deepEqual([claims.sub, claims['client_id'], claims['p1.rid']], [undefined, client.clientId, claims.jti])
      assert.equal(await isActive(access_token), true)
      expectRefusal(await present(jwt), 'invalid_grant')
    })

    test('for itself alone, by its own key, for a short time', async () => {
      const { id } = await person(stile)
      const now = Math.floor(Date.now() / 1000)
      const other = await withOrders(bearing)
      for (const jwt of [
        await own({ sub: id }),
        await own({ sub: stile.worker.clientId }),
        await own({ aud: `${stile.issuer}/token` }),
        await own({ exp: now + 3600 }),
        await own({ jti: undefined }),
        await own({}, client, clientKey('ES256', 'two')),
        hmacJwt(
          { iss: client.clientId, sub: client.clientId, aud: stile.issuer, jti: 'j', exp: now + 60 },
          client.clientSecret,
        ),
      ]) {
        expectRefusal(await present(jwt), 'invalid_grant')
      }
      expectRefusal(await present(await own(), { scope: 'orders:read' }, other), 'invalid_grant')
    })
  })

  test('applications: confidential, with the grant type, and without consent to ask for', async () => {
    const without = await withOrders(wrk)
    expectRefusal(await present('x', {}, without), 'unauthorized_client')
    expectRefusal(await sendForm(stile, 'token', client, { grant_type: grantType }), 'invalid_request')
    const refused = async (members: object): Promise<string[]> => {
      const answer: Answer = await stile.api('POST', '/applications', { ...bearing, name: 'Refused', ...members })
      return expectStatus(answer, 400).details.map(({ target }: { target: string }) => target)
    }
    assert.deepEqual(await refused({ tokenEndpointAuthMethod: 'NONE' }), ['tokenEndpointAuthMethod'])
    assert.deepEqual(await refused({ requireConsent: true }), ['requireConsent'])
  })
})
