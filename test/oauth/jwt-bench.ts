/**
 * One application that uses everything for which a client signs JWTs, by one key, with a user of it, an identity provider, an
 * attester and an app: what the places of `jwt-places-*.ts` are made with. One key for all, so that nothing but what a JWT says
 * tells one kind of it from another.
 */
import assert from 'node:assert/strict'
import { createPublicKey, createSecretKey, type KeyObject, randomUUID } from 'node:crypto'
import { insertLink } from '../../src/directory/linked-accounts.ts'
import type { Environment } from '../../src/environment/snapshot.ts'
import { deriveKey } from '../../src/keys/master-key.ts'
import { addMobileApp, enableMfa, newPerson } from '../flow-runtime/arrange.ts'
import { newIdentityProvider } from '../flow-runtime/external.ts'
import { type OpenIdProvider, startOpenIdProvider } from '../harness/openid-provider.ts'
import { type ProviderServer, startProviderServer } from '../harness/provider-server.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Call, startStile } from '../harness/stile.ts'
import { assertionType, clientKey, keySet } from './assertions.ts'
import { type JwtSigner, signJwtAs } from './jwt-forging.ts'
import { codeOf, codeRequest } from './journeys.ts'
import { policy } from './registering.ts'
import { expectStatus, grant, otherEnvironment, person, type Registered, register, web } from './registrations.ts'
import { ordersResource } from './token-claims.ts'

type Members = Readonly<Record<string, unknown>>
type Form = Readonly<Record<string, string>>

/** The issuer of software statements. */
export const directory = 'https://directory.test'
/** The issuer of attestations. */
export const attester = 'https://attester.test'

const everything = {
  ...web,
  grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN', 'CLIENT_CREDENTIALS', 'TOKEN_EXCHANGE', 'JWT_BEARER', 'CIBA'],
  refreshTokenType: 'JSON_WEB_TOKEN',
  idpSignoff: true,
  isFirstParty: true,
}

/** An ES256 key as signer. */
export function signerOf(privateKey: KeyObject): JwtSigner {
  return { algorithm: 'ES256', privateKey, publicKey: createPublicKey(privateKey) }
}

/** Starts it all. */
export async function startJwtBench() {
  const stile = await startStile({ environment: { STILE_TRUSTED_PROXIES: '127.0.0.1' } })
  const upstream: OpenIdProvider = await startOpenIdProvider()
  const evil: ProviderServer = await startProviderServer()
  const key = clientKey('ES256', 'own')
  const attesterKey = clientKey('ES256', 'a1')
  const instance = clientKey('ES256')
  const dpopKey = clientKey('ES256')
  const settings = expectStatus(await stile.api('GET', '/settings'), 200)
  const attesters = [{ issuer: attester, jwks: keySet(attesterKey) }]
  expectStatus(await stile.api('PUT', '/settings', { ...settings, clientAttestation: { attesters } }), 200)
  await policy(stile, {
    mode: 'OPEN',
    perNetworkAddress: { count: 100_000, seconds: 60 },
    softwareStatements: { required: false, trustedIssuers: [{ issuer: directory, jwks: keySet(key) }] },
  })
  const byKey = { tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT', jwks: keySet(key) }
  const app = await register(stile, { ...everything, ...byKey }, ['profile', 'offline_access'])
  const bySecret = await register(stile, { ...everything, tokenEndpointAuthMethod: 'CLIENT_SECRET_JWT' }, [])
  const native = { type: 'NATIVE_APP', grantTypes: ['CLIENT_CREDENTIALS'], responseTypes: [] }
  const attested = await register(
    stile,
    { ...web, ...native, tokenEndpointAuthMethod: 'ATTEST_JWT_CLIENT_AUTH', jwks: keySet(key) },
    [],
  )
  const orders = await ordersResource(stile)
  for (const { clientId } of [app, bySecret, attested]) {
    await grant(stile, clientId, orders.id, [orders.scope('orders:read')])
  }
  const user = await person(stile, { email: `${randomUUID()}@example.com` })
  const providerId = await newIdentityProvider(stile, upstream, { acceptsAssertions: true })
  const subject = randomUUID()
  const { storage, world, environments } = stile.node.kernel
  await storage.commit({
    name: 'test.link',
    run: () => insertLink(world, stile.environmentId, user.id, { providerId, subject }, Date.now()),
  })
  const owner = await newPerson(stile)
  await enableMfa(stile, owner)
  const mobileApp = await addMobileApp(stile, owner)
  const environment: Environment = (await environments.get(stile.environmentId)) ?? assert.fail()
  const own = environment.signingKeys.find(({ algorithm }) => algorithm === 'ES256') ?? assert.fail()

  /** Refusals are counted by network address: each request comes from another. */
  let requests = 0
  const send = (path: string, call: Call = {}): Promise<Answer> => {
    const address = `10.${(requests >> 16) & 255}.${(requests >> 8) & 255}.${requests++ & 255}`
    return stile.send(path, { ...call, headers: { 'x-forwarded-for': address, ...call.headers } })
  }
  const as = (endpoint: string) => `/${stile.environmentId}/as/${endpoint}`
  const sendForm = (endpoint: string, form: Form, headers: Form = {}) =>
    send(as(endpoint), { body: new URLSearchParams(form), headers })
  const at = (): number => Math.floor(world.now() / 1000)
  /** A JWT by the key of the application, of claims that every kind has, and those of its own. */
  const clientJwt = (claims: Members, header: Members = {}, { clientId }: Pick<Registered, 'clientId'> = app) =>
    signJwtAs(
      signerOf(key.privateKey),
      { alg: 'ES256', kid: 'own', ...header },
      { iss: clientId, aud: stile.issuer, iat: at(), nbf: at(), exp: at() + 60, jti: randomUUID(), ...claims },
    )

  /** A request of the application, authenticated. */
  const asApp = (endpoint: string, form: Form, headers: Form = {}) => {
    const client_assertion = clientJwt({ sub: app.clientId }, { typ: 'client-authentication+jwt' })
    return sendForm(endpoint, { ...form, client_assertion_type: assertionType, client_assertion }, headers)
  }

  /** A browser in which the user is signed on. */
  const signOn = async (): Promise<Browser> => {
    const browser = new Browser(stile)
    const started = await browser.authorize(codeRequest(app, { response_mode: 'pi.flow', scope: 'openid' }))
    const { id } = expectStatus(started, 200)
    const { username, password } = user
    expectStatus(await browser.act(id, 'usernamePassword.check', { username, password }), 200)
    expectStatus(await browser.resume(id), 200)
    return browser
  }
  const signedOn = await signOn()
  /** Tokens of the user. */
  const tokens = async (scope: string, headers: Form = {}, browser = signedOn): Promise<Answer['json']> => {
    const code = codeOf(await browser.authorize(codeRequest(app, { scope })))
    const form = { grant_type: 'authorization_code', code, redirect_uri: app.redirectUri }
    return expectStatus(await asApp('token', form, headers), 200)
  }

  return {
    stile,
    upstream,
    evil,
    key,
    attesterKey,
    instance,
    dpopKey,
    app,
    bySecret,
    attested,
    user,
    providerId,
    subject,
    owner,
    mobileApp,
    environment,
    signers: {
      own: signerOf(own.privateKey),
      client: signerOf(key.privateKey),
      attester: signerOf(attesterKey.privateKey),
      instance: signerOf(instance.privateKey),
      dpop: signerOf(dpopKey.privateKey),
      mobile: signerOf(mobileApp.privateKey),
      upstream: signerOf(upstream.signingKey),
      refresh: {
        algorithm: 'HS256',
        secret: deriveKey({ key: environment.dataKey }, 'refresh-token-jwt'),
      } as JwtSigner,
      secret: { algorithm: 'HS256', secret: createSecretKey(Buffer.from(bySecret.clientSecret)) } as JwtSigner,
    },
    signOn,
    signedOn,
    send,
    as,
    sendForm,
    asApp,
    clientJwt,
    at,
    tokens,
    elsewhere: () => otherEnvironment(stile),
    async close() {
      await stile.close()
      await upstream.close()
      await evil.close()
    },
  }
}

/** What has been started. */
export type JwtBench = Awaited<ReturnType<typeof startJwtBench>>
