/**
 * DPoP: RFC 9449. Tokens that are bound to a key where they are asked for, and count with its proof alone where they are
 * used; rows B21, D23, D24, F01, F04, F05, F09; the modules of the FAPI 2.0 plan about DPoP by their names.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, basic, type Call, type Stile, startStile } from '../harness/stile.ts'
import { assertion, type ClientKey, clientKey, registerPkj } from './assertions.ts'
import {
  authorizeBySignOnPage,
  codeOf,
  codeRequest,
  codeRequestWithPkce,
  expectRefusal,
  obtainCode,
  push,
  redeemCode,
  told,
} from './journeys.ts'
import { type Proof, proofOf, thumbprintOf } from './proofs.ts'
import {
  customResource,
  expectStatus,
  grant,
  otherEnvironment,
  type Registered,
  register,
  spa,
  web,
  wrk,
} from './registrations.ts'

suite('DPoP', () => {
  const key = clientKey('ES256')
  const other = clientKey('ES256')
  let stile: Stile
  let world: TestWorld
  let worker: Registered
  let app: Registered
  let browser: Browser
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    worker = await register(stile, wrk, [])
    app = await register(stile)
    browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(app))
  })
  after(() => stile.close())

  const ask = (dpop: string | undefined, { clientId, clientSecret }: Registered = worker): Promise<Answer> =>
    stile.send(`/${stile.environmentId}/as/token`, {
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
      headers: { authorization: basic(clientId, clientSecret), ...(dpop === undefined ? {} : { dpop }) },
    })
  const proof = (changes: Proof = {}, by: ClientKey = key) => proofOf(stile, by, changes)
  const redeem = async (code: string, more: Readonly<Record<string, string>>, dpop?: string, client = app) =>
    stile.send(`/${stile.environmentId}/as/token`, {
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        redirect_uri: client.redirectUri,
        client_id: client.clientId,
        ...more,
      }),
      headers: {
        ...(client.clientSecret === '' ? {} : { authorization: basic(client.clientId, client.clientSecret) }),
        ...(dpop === undefined ? {} : { dpop }),
      },
    })
  const userToken = async (dpop: string): Promise<string> =>
    expectStatus(await redeem(await obtainCode(browser, codeRequest(app)), {}, dpop), 200).access_token

  for (const algorithm of ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512']) {
    test(`a proof by ${algorithm} binds the token to its key`, async () => {
      const own = clientKey(algorithm)
      const { token_type, access_token } = expectStatus(await ask(await proof({}, own)), 200)
      assert.equal(token_type, 'DPoP')
      assert.deepEqual(decodeJwt(access_token)['cnf'], { jkt: await thumbprintOf(own) })
    })
  }

  test('no proof, no binding', async () => {
    const { token_type, access_token } = expectStatus(await ask(undefined), 200)
    assert.deepEqual([token_type, decodeJwt(access_token)['cnf']], ['Bearer', undefined])
  })

  test('D23: what is no proof of this request, by this key, now', async () => {
    const now = Math.floor(world.now() / 1000)
    const good = await proof()
    const [header, claims, signature] = good.split('.')
    const foreign = await otherEnvironment(stile)
    const wrong: readonly string[] = [
      await proof({ claims: { jti: undefined } }),
      await proof({ method: 'GET' }),
      await proof({ path: `/${stile.environmentId}/as/par` }),
      await proof({ path: `/${foreign.environmentId}/as/token` }),
      await proof({ claims: { htu: `http://127.0.0.1:${stile.node.port}/${stile.environmentId}/as/token` } }),
      await proof({ claims: { iat: now - 61 } }),
      await proof({ claims: { iat: now + 61 } }),
      await proof({ claims: { iat: undefined } }),
      await proof({ header: { typ: undefined } }),
      await proof({ header: { typ: 'JWT' } }),
      await proof({ header: { jwk: undefined } }),
      await proof({ header: { jwk: { ...key.jwk, d: 'AAAA' } } }),
      await proof({ header: { jwk: other.jwk } }),
      await proof({ header: { jwk: undefined, kid: 'x', jku: `${stile.authUrl}/keys`, x5u: 'https://evil.test' } }),
      await proof({ header: { jwk: { ...clientKey('ES384').jwk } } }),
      `${Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg: 'none', jwk: key.jwk })).toString('base64url')}.${claims}.`,
      `${Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg: 'HS256', jwk: key.jwk })).toString('base64url')}.${claims}.AAAA`,
      `${header}.${claims}.${Buffer.alloc(64).toString('base64url')}`,
      `${header}.${claims}.`,
      `${good}=`,
      `${good}, ${await proof()}`,
      `${good} ${good}`,
      signature as string,
      '',
      await assertion(stile, worker.clientId, key),
      await stile.workerToken(),
    ]
    for (const [at, dpop] of wrong.entries()) {
      const answer = await ask(dpop)
      assert.equal(answer.json.error, 'invalid_dpop_proof', `${at}: ${answer.text}`)
      expectRefusal(answer, 'invalid_dpop_proof')
    }
    expectStatus(await ask(good), 200)
    expectRefusal(await ask(good), 'invalid_dpop_proof')
  })

  test('FAPI dpopproof-with-iat-10seconds-before and -after, check-dpop-proof-nbf-exp', async () => {
    const now = Math.floor(world.now() / 1000)
    for (const claims of [{ iat: now - 10 }, { iat: now + 8 }, { nbf: now, exp: now + 300 }]) {
      expectStatus(await ask(await proof({ claims })), 200)
    }
  })

  test('D23: the same jti by another key is another proof, and what came to nothing used none up', async () => {
    const jti = randomUUID()
    expectStatus(await ask(await proof({ claims: { jti } })), 200)
    expectStatus(await ask(await proof({ claims: { jti } }, other)), 200)
    const fresh = await proof()
    expectRefusal(await redeem('no-such-code', {}, fresh), 'invalid_grant')
    expectStatus(await ask(fresh), 200)
  })

  test('the address without environment, and the alias', async () => {
    for (const path of ['/as/token', '/as/token.oauth2', `/${stile.environmentId}/as/token.oauth2`]) {
      const answer = await stile.send(`${path}?a=b`, {
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: { authorization: basic(worker.clientId, worker.clientSecret), dpop: await proof({ path }) },
      })
      assert.equal(expectStatus(answer, 200).token_type, 'DPoP', path)
    }
  })

  suite('D24: an application whose tokens are bound', () => {
    let bound: Registered
    let boundWorker: Registered
    before(async () => {
      bound = await register(stile, {
        ...spa,
        dpopBoundAccessTokens: true,
        pkceEnforcement: 'OPTIONAL',
        redirectUris: ['https://spa.test/cb'],
      })
      boundWorker = await register(stile, { ...wrk, dpopBoundAccessTokens: true }, [])
    })

    test('gets none without a proof, by any grant', async () => {
      expectRefusal(await ask(undefined, boundWorker), 'invalid_dpop_proof')
      assert.equal(expectStatus(await ask(await proof(), boundWorker), 200).token_type, 'DPoP')
      const code = await obtainCode(browser, codeRequest(bound))
      expectRefusal(await redeem(code, {}, undefined, bound), 'invalid_dpop_proof')
      assert.equal(expectStatus(await redeem(code, {}, await proof(), bound), 200).token_type, 'DPoP')
    })

    test('gets none without a proof, whatever grant the server has', async () => {
      const { grant_types_supported } = expectStatus(
        await stile.send(`/${stile.environmentId}/as/.well-known/openid-configuration`),
        200,
      )
      const everything = await register(stile, {
        ...web,
        type: 'CUSTOM_APP',
        dpopBoundAccessTokens: true,
        grantTypes: [
          'AUTHORIZATION_CODE',
          'CLIENT_CREDENTIALS',
          'REFRESH_TOKEN',
          'DEVICE_CODE',
          'CIBA',
          'TOKEN_EXCHANGE',
          'JWT_BEARER',
        ],
      })
      const presented = {
        code: 'x',
        refresh_token: 'x',
        device_code: 'x',
        auth_req_id: 'x',
        assertion: 'x',
        subject_token: 'x',
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      }
      const grants = grant_types_supported.filter((name: string) => name !== 'implicit')
      assert.equal(grants.length, 7)
      for (const grant_type of grants) {
        const answer = await stile.send(`/${stile.environmentId}/as/token`, {
          body: new URLSearchParams({ grant_type, ...presented }),
          headers: { authorization: basic(everything.clientId, everything.clientSecret) },
        })
        expectRefusal(answer, 'invalid_dpop_proof')
      }
    })

    test('gets none from the front channel', async () => {
      for (const response_type of ['token', 'token id_token', 'code token', 'code id_token token']) {
        const answer = told(await browser.authorize(codeRequest(bound, { response_type, nonce: 'n' })))
        assert.deepEqual([answer.get('error'), answer.get('access_token')], ['unauthorized_client', null])
      }
      const idToken = told(await browser.authorize(codeRequest(bound, { response_type: 'id_token', nonce: 'n' })))
      assert.ok(idToken.get('id_token'))
    })
  })

  suite('D24: what comes of a bound token is bound', () => {
    const post = (name: string, client: Registered, form: Readonly<Record<string, string>>, dpop?: string) =>
      stile.send(`/${stile.environmentId}/as/${name}`, {
        body: new URLSearchParams(client.clientSecret === '' ? { ...form, client_id: client.clientId } : form),
        headers: {
          ...(client.clientSecret === '' ? {} : { authorization: basic(client.clientId, client.clientSecret) }),
          ...(dpop === undefined ? {} : { dpop }),
        },
      })
    const refresh = (client: Registered, token: string, dpop?: string) =>
      post('token', client, { grant_type: 'refresh_token', refresh_token: token }, dpop)
    const grantTypes = ['AUTHORIZATION_CODE', 'REFRESH_TOKEN']

    test('E29: refresh of a public client by its key alone, in the grace too', async () => {
      const own = await register(stile, { ...web, tokenEndpointAuthMethod: 'NONE', grantTypes })
      const { request, verifier } = codeRequestWithPkce(own)
      const code = await obtainCode(browser, request)
      const first = expectStatus(await redeem(code, { code_verifier: verifier }, await proof(), own), 200)
      expectRefusal(await refresh(own, first.refresh_token), 'invalid_grant')
      expectRefusal(await refresh(own, first.refresh_token, await proof({}, other)), 'invalid_grant')
      const second = expectStatus(await refresh(own, first.refresh_token, await proof()), 200)
      assert.equal(second.token_type, 'DPoP')
      assert.deepEqual(decodeJwt(second.access_token)['cnf'], { jkt: await thumbprintOf(key) })
      const again = expectStatus(await refresh(own, first.refresh_token, await proof()), 200)
      assert.equal(again.refresh_token, second.refresh_token)
      expectRefusal(await refresh(own, first.refresh_token, await proof({}, other)), 'invalid_grant')
      expectRefusal(await refresh(own, second.refresh_token, await proof()), 'invalid_grant')
    })

    test('refresh of a confidential client may come with another key; where bound tokens are a must, with one', async () => {
      const own = await register(stile, { ...web, grantTypes, dpopBoundAccessTokens: true })
      const code = await obtainCode(browser, codeRequest(own))
      const first = expectStatus(await redeem(code, {}, await proof(), own), 200)
      expectRefusal(await refresh(own, first.refresh_token), 'invalid_dpop_proof')
      const second = expectStatus(await refresh(own, first.refresh_token, await proof({}, other)), 200)
      assert.deepEqual(decodeJwt(second.access_token)['cnf'], { jkt: await thumbprintOf(other) })
    })

    test('exchange of a token by whoever proves its key, and introspection tells of it', async () => {
      const resource = await customResource(stile, { audience: 'https://api.test' }, ['read'])
      const agent = await register(
        stile,
        { ...wrk, type: 'SERVICE', grantTypes: ['TOKEN_EXCHANGE', 'CLIENT_CREDENTIALS'] },
        [],
      )
      const front = await register(stile, { ...web, requestScopesForMultipleResourcesEnabled: true }, [])
      for (const { clientId } of [agent, front]) await grant(stile, clientId, resource.id, [resource.scope('read')])
      const code = await obtainCode(browser, codeRequest(front, { scope: 'openid' }))
      const { access_token: token } = expectStatus(await redeem(code, {}, await proof(), front), 200)
      const form = {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        scope: 'read',
      }
      expectRefusal(await post('token', agent, form), 'invalid_request')
      expectRefusal(await post('token', agent, form, await proof({}, other)), 'invalid_request')
      const exchanged = expectStatus(await post('token', agent, form, await proof()), 200)
      assert.equal(exchanged.token_type, 'DPoP')
      const introspected = expectStatus(await post('introspect', agent, { token: exchanged.access_token }), 200)
      assert.deepEqual(
        [introspected.active, introspected.token_type, introspected.cnf],
        [true, 'DPoP', { jkt: await thumbprintOf(key) }],
      )
    })
  })

  suite('B21: a code that is bound to a key', () => {
    test('by dpop_jkt; FAPI ensure-dpop-auth-code-binding-success, -token-endpoint-fails-with-mismatched-*', async () => {
      const dpop_jkt = await thumbprintOf(key)
      const code = await obtainCode(browser, codeRequest(app, { dpop_jkt }))
      expectRefusal(await redeem(code, {}, await proof({}, other)), 'invalid_grant')
      expectRefusal(await redeem(code, {}), 'invalid_grant')
      assert.equal(expectStatus(await redeem(code, {}, await proof()), 200).token_type, 'DPoP')
    })

    test('a thumbprint that is none', async () => {
      for (const dpop_jkt of ['x', 'x'.repeat(44), `${'x'.repeat(42)}=`]) {
        assert.equal(told(await browser.authorize(codeRequest(app, { dpop_jkt }))).get('error'), 'invalid_request')
      }
    })

    const path = () => `/${stile.environmentId}/as/par`
    const pushing = async (more: Readonly<Record<string, string>>, dpop: string) =>
      stile.send(path(), {
        body: new URLSearchParams(codeRequest(app, more)),
        headers: { authorization: basic(app.clientId, app.clientSecret), dpop },
      })
    const redeemPushed = async (answer: Answer, dpop: string | undefined) => {
      const { request_uri } = expectStatus(answer, 201)
      const code = codeOf(await browser.authorize({ client_id: app.clientId, request_uri }))
      return redeem(code, {}, dpop)
    }

    test('by a proof at PAR; FAPI ensure-dpopproof-at-par-endpoint-binding-success', async () => {
      expectRefusal(
        await redeemPushed(await pushing({}, await proof({ path: path() })), await proof({}, other)),
        'invalid_grant',
      )
      expectRefusal(await redeemPushed(await pushing({}, await proof({ path: path() })), undefined), 'invalid_grant')
      expectStatus(await redeemPushed(await pushing({}, await proof({ path: path() })), await proof()), 200)
      const dpop_jkt = await thumbprintOf(key)
      expectStatus(await redeemPushed(await pushing({ dpop_jkt }, await proof({ path: path() })), await proof()), 200)
      expectRefusal(
        await redeemPushed(await push(stile, app, codeRequest(app, { dpop_jkt })), undefined),
        'invalid_grant',
      )
    })

    test('FAPI ensure-mismatched-dpop-jkt-fails, and a proof that counts once', async () => {
      const dpop_jkt = await thumbprintOf(other)
      expectRefusal(await pushing({ dpop_jkt }, await proof({ path: path() })), 'invalid_dpop_proof')
      expectRefusal(await pushing({}, await proof()), 'invalid_dpop_proof')
      const dpop = await proof({ path: path() })
      expectStatus(await pushing({}, dpop), 201)
      expectRefusal(await pushing({}, dpop), 'invalid_dpop_proof')
    })

    test('D11: an assertion at PAR counts once', async () => {
      const pkj = await registerPkj(stile, key, { ...web, tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT' })
      const jwt = await assertion(stile, pkj.clientId, key)
      const pushIt = () =>
        stile.send(path(), {
          body: new URLSearchParams({
            ...codeRequest(pkj),
            client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
            client_assertion: jwt,
          }),
        })
      expectStatus(await pushIt(), 201)
      expectRefusal(await pushIt(), 'invalid_client')
    })
  })

  suite('where tokens are used', () => {
    const userinfoPath = () => `/${stile.environmentId}/as/userinfo`
    const apiPath = () => `/v1/environments/${stile.environmentId}`
    const use = (path: string, accessToken: string, dpop?: string, scheme = 'DPoP', call: Call = {}) =>
      stile.send(path, {
        ...call,
        headers: { authorization: `${scheme} ${accessToken}`, ...(dpop === undefined ? {} : { dpop }) },
      })

    /** Both kinds of resource: what each is asked, and a token that it takes. */
    const resources = {
      userinfo: { path: userinfoPath, token: async () => userToken(await proof()) },
      'the management API': {
        path: apiPath,
        async token() {
          const { clientId, clientSecret } = stile.worker
          const answer = await ask(await proof(), { clientId, clientSecret, redirectUri: '' })
          return expectStatus(answer, 200).access_token as string
        },
      },
    }
    for (const [name, { path, token }] of Object.entries(resources)) {
      test(`${name}: with the proof of its key, by either spelling of the scheme`, async () => {
        const accessToken = await token()
        for (const scheme of ['DPoP', 'dpop', 'DPOP']) {
          const dpop = await proof({ method: 'GET', path: path(), accessToken })
          expectStatus(await use(path(), accessToken, dpop, scheme), 200)
        }
        const withQuery = await proof({ method: 'GET', path: `${path()}?a=b`, accessToken })
        expectStatus(await use(`${path()}?c=d`, accessToken, withQuery), 200)
      })

      test(`D23: ${name}: and with nothing else`, async () => {
        const accessToken = await token()
        const another = await token()
        const good: Proof = { method: 'GET', path: path(), accessToken }
        const used = await proof(good)
        expectStatus(await use(path(), accessToken, used), 200)
        const tries: readonly (readonly [string | undefined, string, RegExp])[] = [
          [undefined, 'DPoP', /^DPoP error="invalid_dpop_proof"/],
          [used, 'DPoP', /^DPoP error="invalid_dpop_proof"/],
          [await proof({ ...good, accessToken: another }), 'DPoP', /^DPoP error="invalid_dpop_proof"/],
          [await proof({ method: 'GET', path: path() }), 'DPoP', /^DPoP error="invalid_dpop_proof"/],
          [await proof({ ...good, method: 'POST' }), 'DPoP', /^DPoP error="invalid_dpop_proof"/],
          [await proof({ ...good, path: '/elsewhere' }), 'DPoP', /^DPoP error="invalid_dpop_proof"/],
          [await proof(good, other), 'DPoP', /^DPoP error="invalid_token"/],
          [await proof(good), 'Bearer', /^DPoP error="invalid_token"/],
          [undefined, 'Bearer', /^DPoP error="invalid_token"/],
        ]
        for (const [dpop, scheme, challenge] of tries) {
          const { status, headers, text } = await use(path(), accessToken, dpop, scheme)
          assert.equal(status, 401, text)
          assert.match(headers.get('www-authenticate') ?? '', challenge)
          assert.match(headers.get('www-authenticate') ?? '', /algs="[^"]*ES256/)
        }
      })
    }

    test('a token that is bound to nothing is none of this scheme', async () => {
      const plain = expectStatus(
        await redeemCode(stile, app, await obtainCode(browser, codeRequest(app))),
        200,
      ).access_token
      const dpop = await proof({ method: 'GET', path: userinfoPath(), accessToken: plain })
      const { status, headers } = await use(userinfoPath(), plain, dpop)
      assert.equal(status, 401)
      assert.match(headers.get('www-authenticate') ?? '', /^DPoP error="invalid_token"/)
      expectStatus(await use(userinfoPath(), plain, dpop, 'Bearer'), 200)
    })

    test('a bound token in the body of a request', async () => {
      const accessToken = await userToken(await proof())
      const dpop = await proof({ path: userinfoPath(), accessToken })
      const body = new URLSearchParams({ access_token: accessToken })
      assert.equal((await stile.send(userinfoPath(), { body, headers: { dpop } })).status, 401)
      const empty = { body: new URLSearchParams(), method: 'POST' }
      expectStatus(await use(userinfoPath(), accessToken, dpop, 'DPoP', empty), 200)
    })

    test('D12: pages of other origins may send proofs, and read nonce and challenge', async () => {
      const origin = 'https://spa.test'
      const asked = { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'dpop' }
      const preflight = await stile.send(userinfoPath(), { method: 'OPTIONS', headers: asked })
      assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /\bDPoP\b/)
      const answer = await stile.send(`/${stile.environmentId}/as/token`, {
        body: new URLSearchParams(),
        headers: { origin },
      })
      assert.match(answer.headers.get('access-control-expose-headers') ?? '', /\bDPoP-Nonce\b/)
    })
  })

  suite('nonces of the server', () => {
    let foreign: Stile
    let client: Registered
    before(async () => {
      foreign = await otherEnvironment(stile)
      const settings = expectStatus(await foreign.api('GET', '/settings'), 200)
      expectStatus(await foreign.api('PUT', '/settings', { ...settings, dpopNonceRequired: true }), 200)
      client = await register(foreign, wrk, [])
    })
    const askThere = async (claims: Readonly<Record<string, unknown>>): Promise<Answer> =>
      foreign.send(`/${foreign.environmentId}/as/token`, {
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: {
          authorization: basic(client.clientId, client.clientSecret),
          dpop: await proofOf(foreign, key, { claims }),
        },
      })
    const nonceOf = ({ headers }: Answer): string => headers.get('dpop-nonce') ?? assert.fail('no nonce')
    const expectNonceWanted = (answer: Answer): string => {
      expectRefusal(answer, 'use_dpop_nonce')
      return nonceOf(answer)
    }

    test('are asked for, given, and good for five minutes', async () => {
      const nonce = expectNonceWanted(await askThere({}))
      const answer = await askThere({ nonce })
      expectStatus(answer, 200)
      assert.equal(nonceOf(answer), nonce, 'the answer brings the nonce for the next request')
      world.advance(4 * 60_000)
      await stile.node.kernel.environments.poll()
      expectStatus(await askThere({ nonce }), 200)
      world.advance(2 * 60_000)
      await stile.node.kernel.environments.poll()
      const next = expectNonceWanted(await askThere({ nonce }))
      assert.notEqual(next, nonce)
      expectStatus(await askThere({ nonce: next }), 200)
    })

    test('are of this environment, and whole', async () => {
      const nonce = expectNonceWanted(await askThere({}))
      const [slot = '', mac = ''] = nonce.split('.')
      for (const wrong of [
        '',
        'x',
        1,
        null,
        [nonce],
        `${nonce}A`,
        `${slot}.${'A'.repeat(22)}`,
        `${(Number.parseInt(slot, 36) + 1).toString(36)}.${mac}`,
        slot,
      ]) {
        expectNonceWanted(await askThere({ nonce: wrong }))
      }
      expectRefusal(await ask(await proof({ claims: { nonce } })), 'use_dpop_nonce')
    })

    test('where the token is used, too', async () => {
      const nonce = expectNonceWanted(await askThere({}))
      const { access_token: accessToken } = expectStatus(await askThere({ nonce }), 200)
      const path = `/v1/environments/${foreign.environmentId}`
      const use = async (claims: Readonly<Record<string, unknown>>) =>
        foreign.send(path, {
          headers: {
            authorization: `DPoP ${accessToken}`,
            dpop: await proofOf(foreign, key, { method: 'GET', path, accessToken, claims }),
          },
        })
      const asked = await use({})
      assert.equal(asked.status, 401)
      assert.match(asked.headers.get('www-authenticate') ?? '', /^DPoP error="use_dpop_nonce"/)
      const answer = await use({ nonce: nonceOf(asked) })
      assert.equal(answer.status, 403, 'a worker without roles is known, and may do nothing')
      assert.ok(answer.headers.get('dpop-nonce'))
    })
  })
})
