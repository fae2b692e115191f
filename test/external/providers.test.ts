/** Round trips to providers that lie, over real HTTP (groups M and G). */
import assert from 'node:assert/strict'
import { generateKeyPairSync, verify } from 'node:crypto'
import { BlockList } from 'node:net'
import { after, beforeEach, suite, test } from 'node:test'
import { appleClientSecret } from '../../src/external/apple-client-secret.ts'
import { authenticateExternally } from '../../src/external/authentication.ts'
import { openEgress } from '../../src/external/egress.ts'
import { outboundUrlProblem } from '../../src/external/outbound-url.ts'
import { presets } from '../../src/external/presets.ts'
import { openProviderDocuments } from '../../src/external/provider-documents.ts'
import { authorizationUrl, beginRoundTrip, belongsTo } from '../../src/external/round-trip.ts'
import { type Upstream, upstreamOf } from '../../src/external/upstream.ts'
import type { UpstreamEndpoints } from '../../src/external/upstream-endpoints.ts'
import { UpstreamRefused, type UpstreamRefusal } from '../../src/external/upstream-refused.ts'
import { identityProviderTypes } from '../../src/flow/identity-provider.ts'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { hmacJwt, type Lies, type OpenIdProvider, startOpenIdProvider } from '../harness/openid-provider.ts'

const listed = new BlockList()
listed.addAddress('127.0.0.1')
const hints = { loginHint: null, acrValues: null, forcesLogin: false }
const redirectUri = 'https://stile.example/env/rp/callback/openid_connect'

function upstreamFor(provider: OpenIdProvider, changes: Partial<Upstream> = {}): Upstream {
  const { issuer } = provider
  const document = {
    clientId: 'stile',
    issuer,
    authorizationEndpoint: `${issuer}/authorize`,
    tokenEndpoint: `${issuer}/token`,
    jwksEndpoint: `${issuer}/jwks`,
    userInfoEndpoint: `${issuer}/userinfo`,
    discoveryEndpoint: `${issuer}/.well-known/openid-configuration`,
    scopes: ['openid', 'email'],
    tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
    pkceMethod: 'S256',
  } as const
  return { ...upstreamOf({ type: 'OPENID_CONNECT', document }), ...changes }
}

await suite('providers', async () => {
  const provider = await startOpenIdProvider()
  after(() => provider.close())
  let world: TestWorld
  let ports: Parameters<typeof authenticateExternally>[0]

  beforeEach(() => {
    world = testWorld()
    const egress = openEgress({ listed })
    const impatient: typeof egress = (request) => egress({ ...request, maximumMilliseconds: 400 })
    ports = { egress: impatient, providerDocuments: openProviderDocuments(impatient, world), world }
    provider.user = { sub: 'alice', email: 'alice@idp.example', email_verified: true, given_name: 'Alice' }
    provider.lies = {}
    provider.hits.clear()
    provider.exchanges.length = 0
  })

  async function signOn(upstream = upstreamFor(provider), secret = provider.clientSecret) {
    const { state, trip } = beginRoundTrip(world, upstream, 'idp-1', redirectUri)
    const back = new URL(await provider.signOn(authorizationUrl(upstream, trip, state, hints)))
    assert.equal(back.searchParams.get('state'), state)
    const text = (name: string) => back.searchParams.get(name) ?? undefined
    return authenticateExternally(ports, upstream, secret, trip, {
      code: text('code'),
      error: text('error'),
      issuer: text('iss'),
    })
  }

  async function refusedFor(reason: UpstreamRefusal, lies: Lies, upstream?: Upstream): Promise<void> {
    provider.lies = lies
    await assert.rejects(signOn(upstream), (error) => {
      assert.ok(error instanceof UpstreamRefused, String(error))
      assert.equal(error.reason, reason)
      return true
    })
  }

  test('an honest provider: who it is, and what it says of them', async () => {
    const identity = await signOn()
    assert.equal(identity.subject, 'alice')
    assert.deepEqual(identity.email, { address: 'alice@idp.example', verified: true })
    assert.equal(identity.attributes['given_name'], 'Alice')
    const [exchange] = provider.exchanges
    assert.equal(exchange?.form.get('code_verifier')?.length, 43)
    const [id, secret] = Buffer.from(exchange?.authorization?.slice(6) ?? '', 'base64')
      .toString()
      .split(':')
    assert.deepEqual([id, decodeURIComponent(secret?.replaceAll('+', ' ') ?? '')], ['stile', provider.clientSecret])
  })

  test('the client authenticates in the body, or not at all, where it is told so', async () => {
    await signOn(upstreamFor(provider, { clientAuthentication: 'post' }))
    assert.equal(provider.exchanges[0]?.form.get('client_secret'), provider.clientSecret)
    assert.equal(provider.exchanges[0]?.authorization, undefined)
    await signOn(upstreamFor(provider, { clientAuthentication: 'none' }))
    assert.equal(provider.exchanges[1]?.form.get('client_secret'), null)
    assert.equal(provider.exchanges[1]?.form.get('client_id'), 'stile')
  })

  test('what is asked of the provider', () => {
    const upstream = upstreamFor(provider)
    const { state, trip } = beginRoundTrip(world, upstream, 'idp-1', redirectUri)
    const asked = { loginHint: 'a&b', acrValues: 'x y', forcesLogin: true }
    const { searchParams } = new URL(authorizationUrl(upstream, trip, state, asked))
    const { code_challenge: challenge, ...rest } = Object.fromEntries(searchParams)
    assert.match(challenge ?? '', /^[\w-]{43}$/)
    assert.deepEqual(rest, {
      response_type: 'code',
      client_id: 'stile',
      redirect_uri: redirectUri,
      scope: 'openid email',
      state,
      nonce: trip.nonce,
      code_challenge_method: 'S256',
      login_hint: 'a&b',
      acr_values: 'x y',
      prompt: 'login',
    })
    assert.ok(state.length >= 43 && trip.nonce.length >= 43 && state !== trip.nonce)
  })

  test('M02: a round trip belongs to one client and one issuer', () => {
    const upstream = upstreamFor(provider)
    const { trip } = beginRoundTrip(world, upstream, 'idp-1', redirectUri)
    assert.equal(belongsTo(trip, upstream), true)
    assert.equal(belongsTo(trip, { ...upstream, clientId: 'other' }), false)
    assert.equal(belongsTo(trip, { ...upstream, issuer: 'https://other.example' }), false)
  })

  test('M02: a code or verifier of another round trip is not redeemed', async () => {
    const upstream = upstreamFor(provider)
    const [one, other] = [0, 1].map(() => beginRoundTrip(world, upstream, 'idp-1', redirectUri))
    assert(one && other)
    const back = new URL(await provider.signOn(authorizationUrl(upstream, one.trip, one.state, hints)))
    const returned = { code: back.searchParams.get('code') ?? '', error: undefined, issuer: undefined }
    await assert.rejects(authenticateExternally(ports, upstream, 's', other.trip, returned), {
      reason: 'code-rejected',
    })
  })

  const tokens: readonly [string, UpstreamRefusal, Lies][] = [
    ['M03: no nonce', 'id-token-nonce', { claims: ({ nonce: _, ...claims }) => claims }],
    ['M03: wrong nonce', 'id-token-nonce', { claims: (claims) => ({ ...claims, nonce: 'other' }) }],
    ['M04: iss', 'id-token-issuer', { claims: (claims) => ({ ...claims, iss: 'https://evil.example' }) }],
    ['M04: aud', 'id-token-audience', { claims: (claims) => ({ ...claims, aud: 'other' }) }],
    ['M04: azp', 'id-token-audience', { claims: (claims) => ({ ...claims, azp: 'other' }) }],
    ['M04: expired', 'id-token-time', { claims: (claims) => ({ ...claims, exp: 1 }) }],
    ['M04: no exp', 'id-token-time', { claims: ({ exp: _, ...claims }) => claims }],
    ['M04: iat old', 'id-token-time', { claims: (claims) => ({ ...claims, iat: Number(claims['iat']) - 4000 }) }],
    ['M04: signature of another key', 'id-token-signature', { signsWithOtherKey: true }],
    ['M04: none', 'id-token-algorithm', { header: (header) => ({ ...header, alg: 'none' }) }],
    ['M04: unexpected alg', 'id-token-algorithm', { header: (header) => ({ ...header, alg: 'HS256' }) }],
    ['M04: alg that is not of the key', 'id-token-key', { header: (header) => ({ ...header, alg: 'RS256' }) }],
    ['M04: alg in another case', 'id-token-algorithm', { header: (header) => ({ ...header, alg: 'es256' }) }],
    ['M04: no signature', 'id-token-signature', { token: (token) => `${token.split('.').slice(0, 2).join('.')}.` }],
    ['M04: changed claims', 'id-token-signature', { token: tampered }],
    ['M04: an unknown crit', 'id-token-malformed', { header: (header) => ({ ...header, crit: ['x'], x: 1 }) }],
    ['no token', 'id-token-missing', { token: () => null }],
    ['garbage', 'id-token-malformed', { token: () => 'a.b.c' }],
    ['a token of 100 KB', 'id-token-malformed', { token: (token) => token + 'A'.repeat(100_000) }],
    ['at_hash', 'id-token-hash', { claims: (claims) => ({ ...claims, at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }) }],
    ['M07: sub of the user information', 'subject-mismatch', { userinfo: (claims) => ({ ...claims, sub: 'bob' }) }],
    ['M07: no sub there', 'subject-mismatch', { userinfo: ({ sub: _, ...claims }) => claims }],
    ['M07: user information that is no object', 'provider-unreachable', { userinfo: () => ['alice'] }],
    ['M11: empty sub', 'subject-unusable', { claims: (claims) => ({ ...claims, sub: '' }) }],
    ['M11: null sub', 'subject-unusable', { claims: (claims) => ({ ...claims, sub: null }) }],
    ['M11: sub "null"', 'subject-unusable', { claims: (claims) => ({ ...claims, sub: 'null' }) }],
    ['M11: sub of 1 KB', 'subject-unusable', { claims: (claims) => ({ ...claims, sub: 'x'.repeat(1024) }) }],
    ['M11: sub as a number', 'subject-unusable', { claims: (claims) => ({ ...claims, sub: 7 }) }],
    ['M05: iss with the browser', 'issuer-mismatch', { returned: { iss: 'https://evil.example' } }],
    ['M22: error with the browser', 'provider-error', { returned: { error: '<script>', error_description: '<b>' } }],
    [
      'M23: discovery',
      'issuer-mismatch',
      { discovery: (document) => ({ ...document, issuer: 'https://evil.example' }) },
    ],
    [
      'M05: a promised iss that is not there',
      'issuer-mismatch',
      { discovery: (document) => ({ ...document, authorization_response_iss_parameter_supported: true }) },
    ],
    ['keys without kid of ours', 'id-token-key', { jwks: () => ({ keys: [] }) }],
    ['keys that are none', 'id-token-key', { jwks: () => ({ keys: 'x' }) }],
  ]
  for (const [name, reason, lies] of tokens) test(`${name} is refused`, () => refusedFor(reason, lies))

  test('M04: a token signed with the client secret is refused', async () => {
    await refusedFor('id-token-algorithm', {
      token: (token) => {
        const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
          string,
          unknown
        >
        return hmacJwt(claims, provider.clientSecret)
      },
    })
  })

  test('M05: a code of another provider is not redeemed', async () => {
    const other = await startOpenIdProvider()
    try {
      const upstream = upstreamFor(provider)
      const { state, trip } = beginRoundTrip(world, upstream, 'idp-1', redirectUri)
      const there = new URL(authorizationUrl(upstream, trip, state, hints))
      const code = new URL(await other.signOn(`${other.issuer}${there.pathname}${there.search}`)).searchParams.get(
        'code',
      )
      const returned = { code: code ?? '', error: undefined, issuer: undefined }
      await assert.rejects(authenticateExternally(ports, upstream, 's', trip, returned), { reason: 'code-rejected' })
    } finally {
      await other.close()
    }
  })

  for (const behaviour of ['slow', 'endless', 'redirect', 'error', 'garbage', 'silent'] as const) {
    test(`G04, G07, G08: endpoints that are ${behaviour} bring nothing`, async () => {
      for (const endpoint of ['/token', '/jwks', '/userinfo', '/.well-known/openid-configuration']) {
        world.advance(7_200_000)
        const isRejected = endpoint === '/token' && behaviour === 'garbage'
        await refusedFor(
          isRejected ? 'code-rejected' : 'provider-unreachable',
          { endpoint, behaviour },
          undefinedTime(),
        )
      }
      assert.equal(provider.hits.get('/elsewhere'), undefined)
    })
  }

  /** Tokens of these tests are judged by the clock of the provider, which does not move. */
  function undefinedTime(): Upstream {
    ports = { ...ports, world: testWorld(), providerDocuments: openProviderDocuments(ports.egress, world) }
    return upstreamFor(provider)
  }

  test('M24: a rotated key is fetched once; a removed one no longer counts', async () => {
    await signOn()
    assert.equal(provider.hits.get('/jwks'), 1)
    await signOn()
    assert.equal(provider.hits.get('/jwks'), 1, 'kept')
    provider.rotate()
    world.advance(31_000)
    await signOn()
    assert.equal(provider.hits.get('/jwks'), 2, 'one fetch for the unknown key')
    await refusedFor('id-token-signature', { signsWithOtherKey: true })
    assert.equal(provider.hits.get('/jwks'), 2)
  })

  test('G13, M24: tokens with unknown keys cause two fetches a minute at most, and crowds one', async () => {
    await signOn()
    for (let token = 0; token < 20; token++) {
      await refusedFor('id-token-key', { header: (header) => ({ ...header, kid: `unknown-${token}` }) })
    }
    assert.equal(provider.hits.get('/jwks'), 1)
    provider.lies = {}
    world.advance(3_700_000)
    const documents = ports.providerDocuments
    await Promise.all(Array.from({ length: 200 }, () => documents.read(`${provider.issuer}/jwks`, 600_000)))
    assert.equal(provider.hits.get('/jwks'), 2)
  })

  test('a document that could not be fetched is tried again by the next one', async () => {
    await refusedFor('provider-unreachable', { endpoint: '/jwks', behaviour: 'error' })
    provider.lies = {}
    assert.equal((await signOn()).subject, 'alice')
  })

  suite('OAuth 2', () => {
    const counted = (changes: Partial<Upstream> = {}): Upstream =>
      upstreamFor(provider, {
        protocol: 'oauth',
        issuer: null,
        jwksEndpoint: null,
        discoveryEndpoint: null,
        userInfoEndpoints: [`${provider.issuer}/user`],
        subject: { claim: 'id', isInteger: true },
        ...changes,
      })

    test('the resource says who it is; its address is verified by nobody', async () => {
      provider.user = { id: 583231, login: 'octocat', email: 'cat@idp.example', email_verified: true }
      const identity = await signOn(counted())
      assert.equal(identity.subject, '583231')
      assert.deepEqual(identity.email, { address: 'cat@idp.example', verified: false })
      assert.equal(identity.attributes['login'], 'octocat')
    })

    test('a nested subject and further names for it', async () => {
      provider.user = { data: { id: '77', username: 'x' } }
      const identity = await signOn(
        counted({ subject: { claim: 'data.id', isInteger: false }, aliases: { id: 'data.id' } }),
      )
      assert.deepEqual([identity.subject, identity.attributes['id']], ['77', '77'])
    })

    test('M11: accounts without a usable number are refused', async () => {
      for (const id of ['583231', null, undefined, 0, -5, 1.5, '']) {
        provider.user = { id }
        await refusedFor('subject-unusable', {}, counted())
      }
    })
  })

  test('every preset is complete: https endpoints that may be asked, and OpenID Connect with issuer and keys', () => {
    for (const type of identityProviderTypes) {
      if (type === 'OPENID_CONNECT') continue
      for (const document of [{}, { clientEnvironment: 'live', tenantId: 'contoso.example' } as const]) {
        const endpoints: UpstreamEndpoints = presets[type].endpoints(document)
        const { tokenEndpoint, authorizationEndpoint, userInfoEndpoints, jwksEndpoint, issuer, protocol } = endpoints
        for (const url of [tokenEndpoint, authorizationEndpoint, ...userInfoEndpoints, jwksEndpoint ?? tokenEndpoint]) {
          assert.equal(outboundUrlProblem(url, undefined), undefined, `${type} ${url}`)
        }
        assert.equal(protocol === 'oidc', issuer !== null && jwksEndpoint !== null, type)
        assert.ok(protocol === 'oidc' || userInfoEndpoints.length > 0, type)
        assert.equal(protocol === 'oidc', endpoints.scopes.includes('openid') && type !== 'PAYPAL', type)
      }
    }
  })

  test('Apple gets a client secret signed by the key, good for five minutes; no key is quoted', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const [header = '', claims = '', signature = ''] = appleClientSecret(
      { clientId: 'com.example', keyId: 'k', teamId: 't' },
      pem,
      1_800_000_000_000,
    ).split('.')
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown
    assert.deepEqual(read(header), { alg: 'ES256', kid: 'k' })
    assert.deepEqual(read(claims), {
      iss: 't',
      iat: 1_800_000_000,
      exp: 1_800_000_300,
      aud: 'https://appleid.apple.com',
      sub: 'com.example',
    })
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
    assert.ok(verify('sha256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url')))
    assert.throws(
      () => appleClientSecret({ clientId: 'c', keyId: 'k', teamId: 't' }, 'CANARY-key', 0),
      (error) => error instanceof UpstreamRefused && !JSON.stringify(error).includes('CANARY'),
    )
  })
})

function tampered(token: string): string {
  const [header, claims = '', signature] = token.split('.')
  const changed = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), sub: 'bob' } as object
  return [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.')
}
