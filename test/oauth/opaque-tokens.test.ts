/**
 * Opaque access tokens of resources with `accessTokenFormat: OPAQUE`: what they are good for where JWTs are, and that nobody
 * but this server can read them. RFC 7662, RFC 7009, RFC 8693, RFC 8705, RFC 9449; rows D24, E11-E18, F09; decisions D22, D23.
 */
import assert from 'node:assert/strict'
import { hash, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { purge } from '../../src/jobs/purge.ts'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { codeSentTo, enable, rows } from '../flow-runtime/arrange.ts'
import { certificate } from '../harness/client-certificates.ts'
import { Browser, pkce } from '../harness/sign-on.ts'
import { type Answer, basic, type Call, type Stile, startStile } from '../harness/stile.ts'
import { assertion, assertionType, clientKey, keySet } from './assertions.ts'
import { signOff } from './endpoints/signed-on.ts'
import {
  authorizeBySignOnPage,
  codeOf,
  codeRequest,
  expectRefusal,
  isLive,
  obtainCode,
  redeemCode,
  refreshTokens,
  sendForm,
  told,
} from './journeys.ts'
import { type Proof, proofOf, thumbprintOf } from './proofs.ts'
import { raceOnBothEngines } from './race.ts'
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
const form = /^[\w-]{43}$/
const inactive = { active: false }

/** An API whose server introspects. */
interface Server extends Pick<Registered, 'clientId' | 'clientSecret'> {
  readonly resource: Resource
}

async function server(stile: Stile, scope: string, members: object = {}): Promise<Server> {
  const body = { audience: `https://${randomUUID()}.test`, accessTokenFormat: 'OPAQUE', ...members }
  const resource = await customResource(stile, body, [scope])
  const { secret } = expectStatus(await stile.api('GET', `/resources/${resource.id}/secret`), 200)
  return { clientId: resource.id, clientSecret: secret, resource }
}

const everything = {
  ...web,
  grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN', 'CLIENT_CREDENTIALS', 'IMPLICIT'],
  responseTypes: ['CODE', 'TOKEN', 'ID_TOKEN'],
  requestScopesForMultipleResourcesEnabled: true,
}

suite('opaque access tokens', () => {
  let world: TestWorld
  let stile: Stile
  let api: Server
  let jwtApi: Server
  let app: Registered
  before(async () => {
    world = testWorld()
    const proxy = { STILE_TRUSTED_PROXIES: '127.0.0.1', STILE_CLIENT_CERTIFICATE_HEADER: 'Client-Cert' }
    stile = await startStile({ world, environment: proxy })
    api = await server(stile, 'vault:read', { accessTokenValiditySeconds: 600 })
    jwtApi = await server(stile, 'shelf:read', { accessTokenFormat: 'JWT' })
    app = await client()
  })
  after(() => stile.close())

  async function client(members: object = {}): Promise<Registered> {
    const registered = await register(stile, { ...everything, ...members })
    for (const { resource } of [api, jwtApi]) {
      const name = resource === api.resource ? 'vault:read' : 'shelf:read'
      await grant(stile, registered.clientId, resource.id, [resource.scope(name)])
    }
    return registered
  }
  async function wait(milliseconds: number): Promise<void> {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
  }
  async function signedOn(who?: Person, scope = 'openid profile vault:read', browser = new Browser(stile), own = app) {
    const code = await obtainCode(browser, codeRequest(own, { scope }), who)
    return expectStatus(await redeemCode(stile, own, code), 200)
  }
  const ofApplication = async (own = app, scope = 'vault:read') =>
    expectStatus(await sendForm(stile, 'token', own, { grant_type: 'client_credentials', scope }), 200)
  const introspect = async (
    who: Pick<Registered, 'clientId' | 'clientSecret'>,
    token: string,
  ): Promise<Answer['json']> => expectStatus(await sendForm(stile, 'introspect', who, { token }), 200)
  const userinfo = (call: Call): Promise<Answer> => stile.send(`/${stile.environmentId}/as/userinfo`, call)
  const stored = (token: string) =>
    rows<{ claims: string }>(stile, 'opaque_tokens', 'token_hash = $2', hash('sha256', token, 'base64url'))

  test('a handle of 256 bits, new each time; the ID token beside it is a JWT that holds its hash', async () => {
    const first = await signedOn()
    const second = await signedOn()
    assert.match(first.access_token, form)
    assert.notEqual(first.access_token, second.access_token)
    assert.deepEqual([first.token_type, first.expires_in], ['Bearer', 600])
    const digest = hash('sha256', first.access_token, 'buffer').subarray(0, 16)
    assert.equal(decodeJwt(first.id_token)['at_hash'], digest.toString('base64url'))
    const next = expectStatus(await refreshTokens(stile, app, first.refresh_token), 200)
    assert.match(next.access_token, form)
  })

  test('every way to get one: refreshed, for the application itself, from the front channel, beside an API with JWTs', async () => {
    const browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(app))
    const request = { response_type: 'code token id_token', nonce: 'n', scope: 'openid vault:read' }
    const front = told(await browser.authorize(codeRequest(app, request)))
    const tokens = [
      front.get('access_token') ?? '',
      (await ofApplication()).access_token,
      (await signedOn(undefined, 'openid vault:read shelf:read')).access_token,
    ]
    for (const token of tokens) {
      assert.match(token, form)
      assert.equal((await introspect(api, token)).active, true)
    }
    assert.equal((await introspect(jwtApi, tokens[2] ?? '')).active, true, 'one token for both')
    assert.match((await signedOn(undefined, 'openid shelf:read')).access_token, /^ey/)
    assert.match((await signedOn(undefined, 'openid')).access_token, /^ey/)
  })

  test('E12: its server and its application are told what a JWT would say; nobody else anything', async () => {
    const who = await person(stile)
    const { access_token: token } = await signedOn(who)
    const { access_token: jwt } = await signedOn(who, 'openid profile shelf:read')
    const said = await introspect(api, token)
    const sameOfJwt = await introspect(jwtApi, jwt)
    assert.deepEqual(Object.keys(said).toSorted(), Object.keys(sameOfJwt).toSorted())
    const { active, sub, client_id, iss, scope, exp, iat } = said
    assert.deepEqual([active, sub, client_id, iss], [true, who.id, app.clientId, stile.issuer])
    assert.deepEqual([scope, exp - iat], ['openid profile vault:read', 600])
    assert.deepEqual(await introspect(app, token), said)
    assert.deepEqual(await introspect(jwtApi, token), inactive)
    assert.deepEqual(await introspect(await client(), token), inactive)
    expectRefusal(await sendForm(stile, 'introspect', { ...api, clientSecret: 'x' }, { token }), 'invalid_client')
  })

  test('userinfo takes it, in the header and in a form', async () => {
    const { access_token: token } = await signedOn()
    assert.equal(expectStatus(await userinfo({ token }), 200).sub, stile.user.id)
    assert.equal((await userinfo({ body: new URLSearchParams({ access_token: token }) })).status, 200)
    const { access_token: withoutOpenid } = await signedOn(undefined, 'vault:read')
    assert.equal((await userinfo({ token: withoutOpenid })).status, 403)
    assert.equal((await userinfo({ token: (await ofApplication()).access_token })).status, 403)
  })

  test('F09: it is good for nothing else', async () => {
    const { access_token: token, id_token } = await signedOn()
    assert.equal((await stile.api('GET', '/populations', undefined, { token })).status, 401)
    assert.equal((await stile.api('GET', `/users/${stile.user.id}`, undefined, { token })).status, 401)
    expectRefusal(await refreshTokens(stile, app, token), 'invalid_grant')
    expectRefusal(await redeemCode(stile, app, token), 'invalid_grant')
    const hinted = await new Browser(stile).authorize(codeRequest(app, { id_token_hint: token }))
    assert.equal(told(hinted).get('error'), 'invalid_request')
    assert.deepEqual(await introspect(app, `${token}A`), inactive)
    assert.deepEqual(await introspect(app, `${token.slice(1)}`), inactive)
    assert.equal((await userinfo({ token: id_token })).status, 401)
  })

  test('E13: it is known in its environment alone', async () => {
    const { access_token: token } = await signedOn()
    const elsewhere = await otherEnvironment(stile)
    assert.equal((await stile.send(`/${elsewhere.environmentId}/as/userinfo`, { token })).status, 401)
    const own = await register(elsewhere, { ...web, grantTypes: ['AUTHORIZATION_CODE', 'CLIENT_CREDENTIALS'] }, [])
    const answer = await sendForm(elsewhere, 'introspect', own, { token }, elsewhere.environmentId)
    assert.deepEqual(expectStatus(answer, 200), inactive)
  })

  test('nothing by which it could be used is stored, nor said in an event', async () => {
    const { access_token: token } = await signedOn()
    const [row] = await stored(token)
    assert.ok(row)
    const { text, values } = {
      text: 'SELECT * FROM opaque_tokens WHERE environment_id = $1',
      values: [stile.environmentId],
    }
    const everyRow = JSON.stringify(await stile.node.kernel.storage.read({ text, values }))
    assert.ok(!everyRow.includes(token))
    assert.equal(JSON.parse(row.claims).sub, stile.user.id)
    // What is stored does not open anything.
    const [{ token_hash }] = (await rows(stile, 'opaque_tokens', 'claims = $2', row.claims)) as [{ token_hash: string }]
    assert.equal((await userinfo({ token: token_hash })).status, 401)
    assert.deepEqual(await introspect(api, token_hash), inactive)
    await sendForm(stile, 'revoke', app, { token })
    assert.ok(!JSON.stringify(await rows(stile, 'events', 'action = $2', 'TOKEN.REVOKED')).includes(token))
  })

  suite('its end', () => {
    const ends: Readonly<
      Record<
        string,
        (
          at: Awaited<ReturnType<typeof signedOn>>,
          who: Person & { readonly email: string },
          browser: Browser,
        ) => Promise<unknown>
      >
    > = {
      'E17: revoked': ({ access_token: token }) => sendForm(stile, 'revoke', app, { token }),
      'revoked by its refresh token': ({ refresh_token: token }) => sendForm(stile, 'revoke', app, { token }),
      'signed off': ({ id_token }, _, browser) => signOff(browser, { id_token_hint: id_token }),
      'I21: the password is recovered': async (_, { id, email }) => {
        const password = (operation: string, body?: unknown) =>
          stile.api('POST', `/users/${id}/password`, body, {
            mediaType: `application/vnd.pingidentity.password.${operation}+json`,
          })
        expectStatus(await password('sendRecoveryCode'), 200)
        const recoveryCode = await codeSentTo(stile, email)
        expectStatus(await password('recover', { recoveryCode, newPassword: 'Eleven-Blue-Lamps-72' }), 200)
      },
      'the user is disabled': (_, who) => enable(stile, who, false),
      'the user is deleted': (_, who) => stile.api('DELETE', `/users/${who.id}`),
      'its time is over': () => wait(600_000),
    }
    for (const [name, end] of Object.entries(ends)) {
      test(name, async () => {
        const email = `${randomUUID()}@example.com`
        const who = { ...(await person(stile, { email })), email }
        const browser = new Browser(stile)
        const at = await signedOn(who, undefined, browser)
        const { access_token: bystander } = await signedOn(await person(stile))
        assert.ok(await isLive(stile, at.access_token))
        await end(at, who, browser)
        assert.equal(await isLive(stile, at.access_token), false)
        for (const asking of [api, app]) assert.deepEqual(await introspect(asking, at.access_token), inactive)
        assert.equal(await isLive(stile, bystander), name !== 'its time is over')
      })
    }

    test('its application is disabled, or deleted', async () => {
      const own = await client()
      const { access_token } = await signedOn(undefined, undefined, undefined, own)
      const { access_token: ofIts } = await ofApplication(own)
      await change(stile, own.clientId, { enabled: false })
      for (const token of [access_token, ofIts]) assert.deepEqual(await introspect(api, token), inactive)
      await change(stile, own.clientId, { enabled: true })
      assert.equal((await introspect(api, ofIts)).active, true)
      expectStatus(await stile.api('DELETE', `/applications/${own.clientId}`), 204)
      for (const token of [access_token, ofIts]) assert.deepEqual(await introspect(api, token), inactive)
    })

    test('D22: a code that comes back ends it', async () => {
      const code = await obtainCode(new Browser(stile), codeRequest(app, { scope: 'openid vault:read' }))
      const { access_token } = expectStatus(await redeemCode(stile, app, code), 200)
      expectRefusal(await redeemCode(stile, app, code), 'invalid_grant')
      assert.deepEqual(await introspect(api, access_token), inactive)
    })

    test('E17: an application revokes one of its own, and nobody else’s', async () => {
      const { access_token: token } = await ofApplication()
      expectStatus(await sendForm(stile, 'revoke', await client(), { token }), 200)
      assert.equal((await introspect(api, token)).active, true)
      const { access_token: other } = await ofApplication()
      const { jti } = await introspect(app, token)
      for (const _ of [1, 2]) expectStatus(await sendForm(stile, 'revoke', app, { token }), 200)
      assert.deepEqual(await introspect(api, token), inactive)
      assert.deepEqual(await stored(token), [])
      assert.equal((await introspect(api, other)).active, true)
      const events = await rows<{ action: string; actor_client_id: string }>(stile, 'events', 'subject_id = $2', jti)
      assert.deepEqual(
        events.map(({ action, actor_client_id }) => [action, actor_client_id]),
        [['TOKEN.REVOKED', app.clientId]],
      )
      // A JWT cannot be forgotten.
      const { access_token: jwt } = await ofApplication(app, 'shelf:read')
      expectRefusal(await sendForm(stile, 'revoke', app, { token: jwt }), 'unsupported_token_type')
    })

    test('expired ones are purged, and those alone', async () => {
      const { access_token: old } = await ofApplication()
      await wait(540_000)
      const { access_token: young } = await ofApplication()
      await wait(121_000)
      assert.equal((await stored(old)).length, 1)
      await purge(stile.node.kernel, new AbortController().signal)
      assert.deepEqual([(await stored(old)).length, (await stored(young)).length], [0, 1])
      assert.equal((await introspect(api, young)).active, true)
    })

    test('a resource that changes its mind: what was issued goes on in its own form', async () => {
      const fickle = await server(stile, 'fickle:read')
      const own = await client()
      await grant(stile, own.clientId, fickle.resource.id, [fickle.resource.scope('fickle:read')])
      const { access_token: opaque } = await ofApplication(own, 'fickle:read')
      const path = `/resources/${fickle.clientId}`
      const present = expectStatus(await stile.api('GET', path), 200)
      expectStatus(await stile.api('PUT', path, { ...present, accessTokenFormat: 'JWT' }), 200)
      const { access_token: jwt } = await ofApplication(own, 'fickle:read')
      assert.match(jwt, /^ey/)
      for (const token of [opaque, jwt]) assert.equal((await introspect(fickle, token)).active, true)
    })
  })

  test('E23: who is deleted leaves none behind; whoever comes after is not known by one', async () => {
    const who = await person(stile, { email: `${randomUUID()}@example.com` })
    const { access_token: token } = await signedOn(who)
    const { access_token: bystander } = await signedOn(await person(stile))
    expectStatus(await stile.api('DELETE', `/users/${who.id}`), 204)
    assert.deepEqual([(await stored(token)).length, (await stored(bystander)).length], [0, 1])
    await person(stile, { username: who.username })
    assert.deepEqual(await introspect(api, token), inactive)
  })

  suite('token exchange (E26)', () => {
    test('as subject, and what comes of it; each ends with the grant', async () => {
      const agent = await client({
        grantTypes: ['TOKEN_EXCHANGE'],
        type: 'SERVICE',
        responseTypes: [],
        redirectUris: [],
      })
      const who = await person(stile)
      const { access_token, refresh_token } = await signedOn(who)
      const asking = (scope: string, token = access_token) =>
        sendForm(stile, 'token', agent, {
          grant_type: exchange,
          subject_token: token,
          subject_token_type: accessToken,
          scope,
        })
      const opaque = expectStatus(await asking('vault:read'), 200).access_token
      const jwt = expectStatus(await asking('shelf:read'), 200).access_token
      assert.match(opaque, form)
      assert.equal(decodeJwt(jwt).sub, who.id)
      assert.deepEqual([(await introspect(api, opaque)).sub, (await introspect(agent, opaque)).active], [who.id, true])
      // What it got is its own to forget; the grant is not its own to end.
      const { access_token: second } = expectStatus(await asking('vault:read'), 200)
      expectStatus(await sendForm(stile, 'revoke', agent, { token: second }), 200)
      assert.deepEqual(await introspect(api, second), inactive)
      assert.equal((await introspect(api, opaque)).active, true)
      assert.ok(await isLive(stile, access_token))
      await sendForm(stile, 'revoke', app, { token: refresh_token })
      assert.deepEqual(await introspect(api, opaque), inactive)
      expectRefusal(await asking('vault:read'), 'invalid_request')
      expectRefusal(await asking('vault:read', (await ofApplication()).access_token), 'invalid_request')
    })
  })

  suite('bound to a key', () => {
    const key = clientKey('ES256')

    test('D24, DPoP: it counts with a proof by its key alone', async () => {
      const code = await obtainCode(new Browser(stile), codeRequest(app, { scope: 'openid vault:read' }))
      const answer = await stile.send(`/${stile.environmentId}/as/token`, {
        body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: app.redirectUri }),
        headers: { authorization: basic(app.clientId, app.clientSecret), dpop: await proofOf(stile, key) },
      })
      const { access_token: token, token_type } = expectStatus(answer, 200)
      assert.match(token, form)
      assert.equal(token_type, 'DPoP')
      const path = `/${stile.environmentId}/as/userinfo`
      const ath = hash('sha256', token, 'base64url')
      const proof = (by = key, claims: Proof['claims'] = { ath }) => proofOf(stile, by, { method: 'GET', path, claims })
      const presenting = async (dpop: Promise<string>) =>
        (await userinfo({ headers: { authorization: `DPoP ${token}`, dpop: await dpop } })).status
      assert.equal(await presenting(proof()), 200)
      assert.equal(await presenting(proof(clientKey('ES256'))), 401)
      assert.equal(await presenting(proof(key, { ath: hash('sha256', 'x', 'base64url') })), 401)
      assert.equal((await userinfo({ token })).status, 401)
      const said = await introspect(api, token)
      assert.deepEqual([said.token_type, said.cnf], ['DPoP', { jkt: await thumbprintOf(key) }])
    })

    test('D24, mutual TLS: with its certificate alone', async () => {
      const [held, other] = [await certificate(), await certificate()]
      const header = (which: typeof held) => ({ 'client-cert': `:${which.certificate.raw.toString('base64')}:` })
      const own = await client({ tlsClientCertificateBoundAccessTokens: true })
      const code = await obtainCode(new Browser(stile), codeRequest(own, { scope: 'openid vault:read' }))
      const redeeming = (headers: Readonly<Record<string, string>>) =>
        stile.send(`/${stile.environmentId}/as/token`, {
          body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: own.redirectUri }),
          headers: { authorization: basic(own.clientId, own.clientSecret), ...headers },
        })
      assert.equal((await redeeming({})).status, 400)
      const { access_token: token } = expectStatus(await redeeming(header(held)), 200)
      assert.match(token, form)
      assert.equal((await userinfo({ token, headers: header(held) })).status, 200)
      assert.equal((await userinfo({ token, headers: header(other) })).status, 401)
      assert.equal((await userinfo({ token })).status, 401)
      const { cnf } = await introspect(api, token)
      assert.deepEqual(cnf, { 'x5t#S256': hash('sha256', held.certificate.raw, 'base64url') })
    })

    test('FAPI 2.0: an application that keeps the profile gets it bound, or not at all', async () => {
      const assertionKey = clientKey('ES256')
      const own = await register(stile, {
        ...web,
        fapiProfile: 'FAPI_2_0_SECURITY',
        tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT',
        jwks: keySet(assertionKey),
      })
      await grant(stile, own.clientId, api.resource.id, [api.resource.scope('vault:read')])
      const post = async (name: string, fields: Readonly<Record<string, string>>, headers = {}) =>
        stile.send(`/${stile.environmentId}/as/${name}`, {
          body: new URLSearchParams({
            ...fields,
            client_assertion_type: assertionType,
            client_assertion: await assertion(stile, own.clientId, assertionKey),
          }),
          headers,
        })
      const { verifier, challenge } = pkce()
      const more = { scope: 'openid vault:read', code_challenge: challenge, code_challenge_method: 'S256' }
      const { request_uri } = expectStatus(await post('par', codeRequest(own, more)), 201)
      const request = { client_id: own.clientId, request_uri }
      const code = codeOf(await authorizeBySignOnPage(new Browser(stile), request))
      const fields = { grant_type: 'authorization_code', code, redirect_uri: own.redirectUri, code_verifier: verifier }
      expectRefusal(await post('token', fields), 'invalid_dpop_proof')
      const { access_token } = expectStatus(await post('token', fields, { dpop: await proofOf(stile, key) }), 200)
      assert.match(access_token, form)
      assert.equal(await isLive(stile, access_token), false, 'it is no bearer token')
    })
  })

  test('the built-in resources have JWTs; a format that is none is refused', async () => {
    const { _embedded } = expectStatus(await stile.api('GET', '/resources'), 200)
    const members = { name: `R ${randomUUID()}`, accessTokenFormat: 'PASETO' }
    assert.equal(
      expectStatus(await stile.api('POST', '/resources', members), 400).details[0].target,
      'accessTokenFormat',
    )
    for (const { type, accessTokenFormat } of _embedded.resources) {
      if (type !== 'CUSTOM') assert.equal(accessTokenFormat, undefined, type)
    }
    assert.match(await stile.workerToken(), /^ey/)
  })
})

await raceOnBothEngines('opaque access tokens on several nodes', (nodes) => {
  let api: Server
  let app: Registered
  before(async () => {
    const [stile] = nodes()
    assert(stile)
    api = await server(stile, 'vault:read')
    app = await register(stile, everything)
    await grant(stile, app.clientId, api.resource.id, [api.resource.scope('vault:read')])
    // Configuration is known to every node within a second (decision D23).
    for (const node of nodes()) {
      while ((await sendForm(node, 'token', app, fields)).status !== 200) await pause(50)
    }
  })
  const fields = { grant_type: 'client_credentials', scope: 'vault:read' }
  const at = (index: number): Stile => nodes()[index % nodes().length] ?? assert.fail()
  const introspect = async (node: Stile, token: string) =>
    expectStatus(await sendForm(node, 'introspect', api, { token }), 200)

  test('one that any node has issued is known to all at once; revoked on one, it is dead on all', async () => {
    const issued = await Promise.all(
      Array.from({ length: 20 }, (_, index) => sendForm(at(index), 'token', app, fields)),
    )
    const tokens = issued.map((answer) => expectStatus(answer, 200).access_token as string)
    assert.equal(new Set(tokens).size, 20)
    const known = await Promise.all(tokens.map((token, index) => introspect(at(index + 1), token)))
    assert.ok(known.every(({ active }) => active === true))
    const [token = ''] = tokens
    const revoked = await Promise.all(
      Array.from({ length: 20 }, (_, index) => sendForm(at(index), 'revoke', app, { token })),
    )
    assert.ok(revoked.every(({ status }) => status === 200))
    for (const index of [0, 1]) assert.deepEqual(await introspect(at(index), token), inactive)
    const events = await rows<{ action: string }>(at(0), 'events', 'action = $2', 'TOKEN.REVOKED')
    assert.equal(events.length, 1, 'one of them has ended it')
  })

  test('one of a user: issued here, used there, ended with the grant', async () => {
    const code = await obtainCode(new Browser(at(0)), codeRequest(app, { scope: 'openid vault:read' }))
    const { access_token: token, refresh_token } = expectStatus(await redeemCode(at(1), app, code), 200)
    for (const index of [0, 1]) {
      assert.equal((await introspect(at(index), token)).sub, at(0).user.id)
      assert.ok(await isLive(at(index), token))
    }
    expectStatus(await sendForm(at(0), 'revoke', app, { token: refresh_token }), 200)
    for (const index of [0, 1]) assert.equal(await isLive(at(index), token), false)
  })
})
