/**
 * Client assertions at the token endpoint: private_key_jwt and client_secret_jwt. RFC 7523, OpenID Connect Core section 9,
 * decision D8; rows C18, D02, D03, D09-D14, F01-F08 as to assertions.
 */
import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { type Answer, basic, type Call, type Stile, startStile } from '../harness/stile.ts'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { assertion, assertionClaims, assertionType, byAssertion, clientKey, keySet, registerPkj } from './assertions.ts'
import { expectRefusal } from './journeys.ts'
import { change, expectStatus, otherEnvironment, type Registered, register, web, wrk } from './registrations.ts'

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

suite('client assertions', () => {
  let stile: Stile
  let world: TestWorld
  const key = clientKey('ES256', 'first')
  let pkj: Registered
  let csj: Registered
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    pkj = await registerPkj(stile, key)
    csj = await register(stile, { ...wrk, tokenEndpointAuthMethod: 'CLIENT_SECRET_JWT' }, [])
  })
  after(() => stile.close())

  const token = (call: Call, path = `/${stile.environmentId}/as/token`): Promise<Answer> => stile.send(path, call)
  const present = async (jwt: string | Promise<string>, more: Readonly<Record<string, string>> = {}) =>
    token(byAssertion(await jwt, more))
  const good = (otherwise = {}, header = {}) => assertion(stile, pkj.clientId, key, otherwise, header)
  const secretKey = ({ clientSecret }: Registered, algorithm = 'HS256') => ({
    algorithm,
    privateKey: Buffer.from(clientSecret),
    jwk: {},
  })

  test('D02: private_key_jwt, with the client named in the body or not', async () => {
    expectStatus(await present(good()), 200)
    expectStatus(await present(good(), { client_id: pkj.clientId }), 200)
    expectStatus(await token(byAssertion(await good()), '/as/token'), 200)
    expectRefusal(await present(good(), { client_id: csj.clientId }), 'invalid_client')
  })

  suite('every endpoint that has clients', () => {
    let everywhere: Registered
    before(async () => {
      everywhere = await registerPkj(stile, key, {
        ...web,
        type: 'CUSTOM_APP',
        grantTypes: ['AUTHORIZATION_CODE', 'CLIENT_CREDENTIALS', 'DEVICE_CODE', 'CIBA'],
        tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT',
        isFirstParty: true,
      })
    })
    /** What each answers a client that it knows. */
    const endpoints: Readonly<Record<string, readonly [form: Readonly<Record<string, string>>, status: number]>> = {
      token: [{ grant_type: 'client_credentials' }, 200],
      par: [{ response_type: 'code', redirect_uri: 'https://app.test/cb', scope: 'openid' }, 201],
      introspect: [{ token: 'x' }, 200],
      revoke: [{ token: 'x' }, 200],
      device_authorization: [{ scope: 'openid' }, 200],
      cibaAuthorization: [{ scope: 'openid', login_hint: 'nobody' }, 200],
      authorization_challenge: [{ scope: 'openid' }, 400],
    }
    for (const [name, [form, status]] of Object.entries(endpoints)) {
      test(`D01, D02, D10, D11: ${name}`, async () => {
        const call = (credentials: Readonly<Record<string, string>>) =>
          stile.send(`/${stile.environmentId}/as/${name}`, { body: new URLSearchParams({ ...form, ...credentials }) })
        const { clientId, clientSecret } = everywhere
        const by = async (otherwise = {}) => ({
          client_assertion_type: assertionType,
          client_assertion: await assertion(stile, clientId, key, otherwise),
        })
        expectRefusal(await call({}), 'invalid_client')
        expectRefusal(await call({ client_id: clientId }), 'invalid_client')
        expectRefusal(await call({ client_id: clientId, client_secret: clientSecret }), 'invalid_client')
        expectRefusal(await call(await by({ aud: `${stile.issuer}/${name}` })), 'invalid_client')
        const good = await by()
        const answer = await call(good)
        assert.equal(answer.status, status, answer.text)
        assert.notEqual(answer.json?.error, 'invalid_client')
        expectRefusal(await call(good), 'invalid_client')
      })
    }
  })

  for (const algorithm of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']) {
    test(`private_key_jwt by ${algorithm}, without any kid`, async () => {
      const own = clientKey(algorithm)
      const client = await registerPkj(stile, own, { jwks: keySet(clientKey('ES256'), own, clientKey('PS256')) })
      expectStatus(await present(assertion(stile, client.clientId, own)), 200)
      expectRefusal(await present(assertion(stile, client.clientId, clientKey(algorithm))), 'invalid_client')
    })
  }

  for (const algorithm of ['HS256', 'HS384', 'HS512']) {
    test(`client_secret_jwt by ${algorithm}`, async () => {
      const { clientId } = csj
      expectStatus(await present(assertion(stile, clientId, secretKey(csj, algorithm))), 200)
      const wrong = { ...csj, clientSecret: 'x'.repeat(64) }
      expectRefusal(await present(assertion(stile, clientId, secretKey(wrong, algorithm))), 'invalid_client')
    })
  }

  test('D06: client_secret_jwt by the previous secret, for as long as it was kept', async () => {
    const client = await register(stile, { ...wrk, tokenEndpointAuthMethod: 'CLIENT_SECRET_JWT' }, [])
    const expiresAt = new Date(world.now() + 3_600_000).toISOString()
    expectStatus(await stile.api('POST', `/applications/${client.clientId}/secret`, { previous: { expiresAt } }), 200)
    expectStatus(await present(assertion(stile, client.clientId, secretKey(client))), 200)
    expectStatus(await stile.api('DELETE', `/applications/${client.clientId}/secret`), 204)
    expectRefusal(await present(assertion(stile, client.clientId, secretKey(client))), 'invalid_client')
  })

  test('D02: the registered method and no other, whoever proves who they are', async () => {
    const byBasic = await register(stile, { ...wrk, jwks: keySet(key) }, [])
    const open = await register(stile, { ...web, tokenEndpointAuthMethod: 'NONE', jwks: keySet(key) }, [])
    const wrong: Readonly<Record<string, Call>> = {
      'pkj, by Basic': {
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: { authorization: basic(pkj.clientId, pkj.clientSecret) },
      },
      'pkj, by post': {
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: pkj.clientId,
          client_secret: pkj.clientSecret,
        }),
      },
      'pkj, by nothing': { body: new URLSearchParams({ grant_type: 'client_credentials', client_id: pkj.clientId }) },
      'pkj, by its secret': byAssertion(await assertion(stile, pkj.clientId, secretKey(pkj))),
      'csj, by Basic': {
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: { authorization: basic(csj.clientId, csj.clientSecret) },
      },
      'basic, by its secret': byAssertion(await assertion(stile, byBasic.clientId, secretKey(byBasic))),
      'basic, by a key': byAssertion(await assertion(stile, byBasic.clientId, key)),
      'public, by a key': byAssertion(await assertion(stile, open.clientId, key)),
    }
    for (const [name, call] of Object.entries(wrong)) {
      const answer = await token(call)
      expectRefusal(answer, 'invalid_client')
      assert.match(answer.json.error_description, /Unsupported authentication method/, name)
    }
  })

  test('D02, D13, F01: an assertion that nobody signed, or by an algorithm that is none', async () => {
    const claims = encoded(assertionClaims(stile, pkj.clientId))
    for (const alg of ['none', 'None', 'nOnE', '', undefined, ['ES256'], 'RS1', 'ES256K', 'HS1', 'constructor']) {
      const header = encoded({ alg, kid: 'first' })
      for (const signature of ['', 'AAAA']) {
        expectRefusal(await present(`${header}.${claims}.${signature}`), 'invalid_client')
      }
    }
    const [, , signature] = (await good()).split('.')
    expectRefusal(await present(`${encoded({ alg: 'ES256' })}.${claims}.${signature}`), 'invalid_client')
  })

  test('D13, F02: a symmetric signature by the public key, in every spelling', async () => {
    const rsa = clientKey('RS256')
    const client = await registerPkj(stile, rsa)
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const pkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()
    const der = rsa.publicKey.export({ type: 'spki', format: 'der' })
    const secrets = [pem, pem.trim(), ` ${pem}`, pkcs1, der, JSON.stringify(rsa.jwk), keySet(rsa)]
    for (const method of ['PRIVATE_KEY_JWT', 'CLIENT_SECRET_JWT']) {
      await change(stile, client.clientId, { tokenEndpointAuthMethod: method })
      for (const secret of secrets) {
        const input = `${encoded({ alg: 'HS256' })}.${encoded(assertionClaims(stile, client.clientId))}`
        const signature = createHmac('sha256', secret).update(input).digest('base64url')
        expectRefusal(await present(`${input}.${signature}`), 'invalid_client')
      }
    }
  })

  test('F03: a kid that is a path, a query, an address, a name of JavaScript, or no text', async () => {
    for (const kid of [
      '../../dev/null',
      "' OR 1=1--",
      'https://evil.test/key',
      '__proto__',
      'constructor',
      'x'.repeat(9000),
    ]) {
      expectRefusal(await present(good({}, { kid })), 'invalid_client')
    }
    for (const kid of [['first'], null, 1, {}]) {
      const claims = encoded(assertionClaims(stile, pkj.clientId))
      expectRefusal(await present(`${encoded({ alg: 'ES256', kid })}.${claims}.AAAA`), 'invalid_client')
    }
  })

  test('F05: extensions that are critical, and the payload as it is', async () => {
    const claims = encoded(assertionClaims(stile, pkj.clientId))
    for (const header of [
      { alg: 'ES256', crit: ['b64'], b64: false },
      { alg: 'ES256', crit: ['exp'], exp: 1 },
      { alg: 'ES256', b64: true },
    ]) {
      expectRefusal(await present(`${encoded(header)}.${claims}.AAAA`), 'invalid_client')
    }
  })

  test('F06: a signature of zeros, of another form, of another curve', async () => {
    const [header, claims] = (await good()).split('.')
    for (const signature of [Buffer.alloc(64), Buffer.alloc(63, 1), Buffer.alloc(96, 1), Buffer.alloc(72, 0x30)]) {
      expectRefusal(await present(`${header}.${claims}.${signature.toString('base64url')}`), 'invalid_client')
    }
    const other = clientKey('ES384')
    expectRefusal(await present(assertion(stile, pkj.clientId, other, {}, { kid: 'first' })), 'invalid_client')
  })

  test('F07: one text for one assertion', async () => {
    const jwt = await good()
    const [header = '', claims = '', signature = ''] = jwt.split('.')
    const stray = `${signature.slice(0, -1)}${signature.endsWith('A') ? 'B' : String.fromCharCode(signature.charCodeAt(85) + 1)}`
    const edited = encoded({ ...assertionClaims(stile, pkj.clientId), exp: 2_000_000_000 })
    const twice = Buffer.from(`{"iss":"x",${Buffer.from(claims, 'base64url').toString().slice(1)}`).toString(
      'base64url',
    )
    const texts = [
      `${header}.${edited}.${signature}`,
      `${header}.${claims}.`,
      `${header}.${claims}`,
      `${header}.${claims}.${signature}.`,
      `${header}.${claims}.${signature}=`,
      `${header}=.${claims}.${signature}`,
      `${header}.${claims}.${signature} `,
      `${header}.${claims}.${signature}AAAA`,
      `${header}.${claims}.${stray}`,
      `${header}.${twice}.${signature}`,
      `${header}.${Buffer.from('\u{feff}{}').toString('base64url')}.${signature}`,
      `${header}..${signature}`,
      `..`,
      'x',
    ]
    for (const text of texts) expectRefusal(await present(text, { client_id: pkj.clientId }), 'invalid_client')
    expectStatus(await present(jwt), 200)
  })

  test('D10: the issuer as a single string, and the token endpoint only with the switch (decision D8)', async () => {
    const foreign = await otherEnvironment(stile)
    const legacy = await registerPkj(stile, key, { acceptTokenEndpointAudience: true })
    const audiences: readonly (readonly [unknown, boolean, boolean])[] = [
      [stile.issuer, true, true],
      [`${stile.issuer}/token`, false, true],
      [`${stile.issuer}/par`, false, false],
      [[stile.issuer], false, false],
      [[stile.issuer, 'https://other.test'], false, false],
      [[`${stile.issuer}/token`], false, false],
      [`${stile.issuer}/`, false, false],
      [`${stile.issuer}/token/`, false, false],
      [stile.issuer.toUpperCase(), false, false],
      [stile.authUrl, false, false],
      [foreign.issuer, false, false],
      [`${foreign.issuer}/token`, false, false],
      [undefined, false, false],
      [{ a: stile.issuer }, false, false],
      ['', false, false],
    ]
    for (const [aud, isGood, isGoodForLegacy] of audiences) {
      const answer = await present(good({ aud }))
      assert.equal(answer.status, isGood ? 200 : 401, JSON.stringify(aud))
      const toLegacy = await present(assertion(stile, legacy.clientId, key, { aud }))
      assert.equal(toLegacy.status, isGoodForLegacy ? 200 : 401, JSON.stringify(aud))
    }
  })

  test('D12, F08: claims that are missing, of somebody else, too far away or no times', async () => {
    const now = Math.floor(world.now() / 1000)
    const wrong: readonly Readonly<Record<string, unknown>>[] = [
      { jti: undefined },
      { jti: '' },
      { jti: 7 },
      { exp: undefined },
      { iss: undefined },
      { sub: undefined },
      { iss: csj.clientId },
      { sub: csj.clientId },
      { iss: csj.clientId, sub: csj.clientId },
      { exp: now + 24 * 3600 },
      { exp: now + 300 + 61 },
      { exp: now - 61 },
      { exp: String(now + 60) },
      { exp: null },
      { exp: -1 },
      { iat: now + 65 },
      { nbf: now + 65 },
      { iat: 'now' },
    ]
    for (const otherwise of wrong) {
      const answer = await present(good(otherwise), { client_id: pkj.clientId })
      expectRefusal(answer, 'invalid_client')
    }
    for (const otherwise of [
      { exp: now + 300 },
      { iat: undefined },
      { iat: now + 8, nbf: now + 8 },
      { exp: now + 60.5 },
    ]) {
      expectStatus(await present(good(otherwise)), 200)
    }
  })

  test('D12: the longest life is a setting of the environment', async () => {
    const settings = expectStatus(await stile.api('GET', '/settings'), 200)
    const longer = () => good({ exp: Math.floor(world.now() / 1000) + 600 })
    expectRefusal(await present(longer()), 'invalid_client')
    expectStatus(await stile.api('PUT', '/settings', { ...settings, clientAssertionSeconds: 600 }), 200)
    expectStatus(await present(longer()), 200)
    expectStatus(await stile.api('PUT', '/settings', settings), 200)
  })

  test('D11: an assertion counts once, by whatever text, until it can count no more', async () => {
    const jti = randomUUID()
    expectStatus(await present(good({ jti })), 200)
    const again = await present(good({ jti }))
    expectRefusal(again, 'invalid_client')
    expectStatus(await present(assertion(stile, (await registerPkj(stile, key)).clientId, key, { jti })), 200)
    await stile.node.kernel.volumeEvents.flush()
    const text =
      "SELECT id FROM events WHERE action = 'CLIENT_AUTHENTICATION.FAILED' AND actor_client_id = $1 AND correlation_id = $2"
    const values = [pkj.clientId, again.headers.get('correlation-id')]
    assert.equal((await stile.node.kernel.storage.read({ text, values })).length, 1, 'a replay is recorded')
  })

  test('D11: what came to nothing has not used the assertion up', async () => {
    const jwt = await good()
    expectRefusal(await present(jwt, { scope: 'no-such-scope' }), 'invalid_scope')
    expectStatus(await present(jwt), 200)
    expectRefusal(await present(jwt, { scope: 'no-such-scope' }), 'invalid_scope')
    expectRefusal(await present(jwt), 'invalid_client')
  })

  test('D14: a type that is unknown, missing, alone or there twice', async () => {
    const jwt = await good()
    expectRefusal(await token(byAssertion(jwt, { client_assertion_type: 'urn:other' })), 'invalid_client')
    const form = { grant_type: 'client_credentials', client_id: pkj.clientId }
    expectRefusal(await token({ body: new URLSearchParams({ ...form, client_assertion: jwt }) }), 'invalid_request')
    expectRefusal(
      await token({ body: new URLSearchParams({ ...form, client_assertion_type: assertionType }) }),
      'invalid_request',
    )
    const { body } = byAssertion(jwt)
    for (const [name, value] of [
      ['client_assertion_type', assertionType],
      ['client_assertion', jwt],
    ] as const) {
      expectRefusal(
        await token({
          body: `${body}&${new URLSearchParams({ [name]: value })}`,
          mediaType: 'application/x-www-form-urlencoded',
        }),
        'invalid_request',
      )
    }
    expectStatus(await present(jwt), 200)
  })

  test('D03: two methods at once', async () => {
    const jwt = await good()
    const headers = { authorization: basic(pkj.clientId, pkj.clientSecret) }
    expectRefusal(await token({ ...byAssertion(jwt), headers }), 'invalid_request')
    expectRefusal(await present(jwt, { client_secret: pkj.clientSecret }), 'invalid_request')
    expectStatus(await present(jwt), 200)
  })

  test('D14, D09: of another environment, of a client that is unknown, disabled or deleted: the same answer', async () => {
    const foreign = await otherEnvironment(stile)
    const there = await registerPkj(foreign, key)
    const disabled = await registerPkj(stile, key)
    await change(stile, disabled.clientId, { enabled: false })
    const deleted = await registerPkj(stile, key)
    expectStatus(await stile.api('DELETE', `/applications/${deleted.clientId}`), 204)
    const jwts = [
      assertion(stile, pkj.clientId, clientKey('ES256')),
      assertion(stile, there.clientId, key),
      assertion(foreign, there.clientId, key),
      assertion(stile, disabled.clientId, key),
      assertion(stile, deleted.clientId, key),
      assertion(stile, randomUUID(), key),
      assertion(stile, 'x', key),
    ]
    const seen = await Promise.all(
      jwts.map(async (jwt) => {
        const { status, headers, text } = await present(jwt)
        const kept = [...headers].filter(([name]) => !['date', 'correlation-id', 'content-length'].includes(name))
        return { status, kept, text: text.replace(/[0-9a-f-]{36}/, '') }
      }),
    )
    assert.equal(seen[0]?.status, 401)
    for (const one of seen) assert.deepEqual(one, seen[0])
    const own = `/${foreign.environmentId}/as/token`
    expectRefusal(await token(byAssertion(await good()), own), 'invalid_client')
    expectStatus(await token(byAssertion(await assertion(foreign, there.clientId, key)), own), 200)
  })

  test('C18: other JWTs of the client, and tokens of ours, are no assertions', async () => {
    const request = { sub: undefined, client_id: pkj.clientId, response_type: 'code', scope: 'openid' }
    for (const typ of [undefined, 'JWT', 'oauth-authz-req+jwt']) {
      expectRefusal(await present(good(request, typ ? { typ } : {}), { client_id: pkj.clientId }), 'invalid_client')
    }
    for (const typ of ['dpop+jwt', 'at+jwt', 'oauth-authz-req+jwt', 'logout+jwt', 'secevent+jwt', 'JOSE']) {
      expectRefusal(await present(good({}, { typ })), 'invalid_client')
    }
    for (const typ of ['JWT', 'jwt', 'client-authentication+jwt']) expectStatus(await present(good({}, { typ })), 200)
    expectRefusal(await present(stile.workerToken(), { client_id: pkj.clientId }), 'invalid_client')
  })

  test('D15: keys that are registered anew count at once, and the old ones no more', async () => {
    const [old, fresh] = [clientKey('ES256', 'same'), clientKey('ES256', 'same')]
    const { clientId } = await registerPkj(stile, old)
    expectStatus(await present(assertion(stile, clientId, old)), 200)
    await change(stile, clientId, { jwks: keySet(fresh) })
    expectStatus(await present(assertion(stile, clientId, fresh)), 200)
    expectRefusal(await present(assertion(stile, clientId, old)), 'invalid_client')
  })

  test('an application may settle on one algorithm', async () => {
    const rsa = clientKey('PS256')
    const client = await registerPkj(stile, rsa, { tokenEndpointAuthSigningAlg: 'PS256' })
    expectStatus(await present(assertion(stile, client.clientId, rsa)), 200)
    expectRefusal(await present(assertion(stile, client.clientId, { ...rsa, algorithm: 'RS256' })), 'invalid_client')
  })

  test('registration: keys for private_key_jwt, and an algorithm that fits', async () => {
    const refused = async (properties: object, target: string) => {
      const body = { ...wrk, name: randomUUID(), ...properties }
      const { status, json } = await stile.api('POST', '/applications', body)
      assert.deepEqual([status, json.details?.[0]?.target], [400, target])
    }
    await refused({ tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT' }, 'jwks')
    const keys = { tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT', jwks: keySet(key) }
    await refused({ ...keys, tokenEndpointAuthSigningAlg: 'HS256' }, 'tokenEndpointAuthSigningAlg')
    await refused({ tokenEndpointAuthSigningAlg: 'ES256' }, 'tokenEndpointAuthSigningAlg')
    await refused(
      { tokenEndpointAuthMethod: 'CLIENT_SECRET_JWT', tokenEndpointAuthSigningAlg: 'ES256' },
      'tokenEndpointAuthSigningAlg',
    )
  })
})
