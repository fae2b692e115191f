/**
 * The relying party that the suite is: clients as a variant wants them, and the requests they send to the token and
 * userinfo endpoints. What a module does otherwise it says itself.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import { type Answer, basic } from '../../harness/stile.ts'
import { assertion, assertionType, type ClientKey, clientKey } from '../../oauth/assertions.ts'
import { registering } from '../../oauth/registering.ts'
import { register, web } from '../../oauth/registrations.ts'
import * as keys from '../conditions/keys.ts'
import type { Run } from './run.ts'
import { scopes, suiteUrl } from './suite.ts'
import { includes } from './variants.ts'

/** A client of the suite. */
export interface Client {
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
  readonly key?: ClientKey
}

/** One that has registered itself. */
export interface RegisteredClient extends Client {
  /** By which it signs. */
  readonly key: ClientKey
  /** What the registration endpoint answered. */
  readonly registration: Answer['json']
}

/** Where the user comes back to. */
export const redirectUri = `${suiteUrl}/callback`
export const postLogoutRedirectUri = `${suiteUrl}/post_logout_redirect`

/** GetDynamicServerConfiguration: once for each module. */
export function serverConfiguration(run: Run): Promise<Answer> {
  const { stile } = run.suite
  run.configuration ??= stile.send(`${new URL(stile.issuer).pathname}/.well-known/openid-configuration`)
  return run.configuration
}

/** CheckServerConfiguration, and that the server takes clients of the variant (EnsureServerConfigurationSupports…). */
export async function checkServerConfiguration(run: Run): Promise<void> {
  const { json } = await serverConfiguration(run)
  for (const name of ['authorization_endpoint', 'token_endpoint', 'issuer']) assert.ok(json[name], name)
  assert.ok(json.token_endpoint_auth_methods_supported.includes(run.variant.clientAuth))
}

/** FetchServerKeys, with what is checked of them each time. */
export async function fetchServerKeys({ suite: { stile } }: Run): Promise<JSONWebKeySet> {
  const { status, json } = await stile.send(`/${stile.environmentId}/as/jwks`)
  assert.equal(status, 200)
  keys.validateJwksSequence(json)
  keys.checkForKeyIdInServerJWKs(json)
  keys.checkDistinctKeyIdValueInServerJWKs(json)
  return json
}

/** The client that a variant is run with. @param more metadata of a module, by the names of the protocol */
export function clientOf(run: Run, more: Readonly<Record<string, unknown>> = {}, which = 1): Promise<Client> {
  if (run.variant.registration === 'dynamic_client') return registerClient(run, more)
  const made = run.suite.clients
  const name = `${run.variant.responseType} ${run.variant.clientAuth} ${which}`
  const client = made.get(name) ?? makeClient(run)
  made.set(name, client)
  return client
}

const parts = { code: 'CODE', token: 'TOKEN', id_token: 'ID_TOKEN' } as const

/** GetStaticClientConfiguration: one that an administrator has made, who lets it send unsigned request objects. */
async function makeClient({ suite, variant }: Run): Promise<Client> {
  const isHybrid = variant.responseType.includes('code ')
  const properties = {
    ...web,
    grantTypes: [
      ...(includes(variant, 'code') ? ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] : []),
      ...(isHybrid || !includes(variant, 'code') ? ['IMPLICIT'] : []),
    ],
    responseTypes: variant.responseType.split(' ').map((part) => parts[part as keyof typeof parts]),
    tokenEndpointAuthMethod: variant.clientAuth.toUpperCase(),
    redirectUris: [redirectUri],
    postLogoutRedirectUris: [postLogoutRedirectUri],
    supportUnsignedRequestObject: true,
    opSessionCheckEnabled: true,
  }
  const { clientId, clientSecret } = await register(suite.stile, properties, scopes)
  return { clientId, clientSecret, redirectUri }
}

/** OIDCCCreateDynamicClientRegistrationRequest. */
export function registrationRequest({ variant }: Run, key: ClientKey): Record<string, unknown> {
  const isImplicit = includes(variant, 'token') || includes(variant, 'id_token')
  return {
    client_name: `openid-conformance-suite ${randomUUID()}`,
    grant_types: [...(includes(variant, 'code') ? ['authorization_code'] : []), ...(isImplicit ? ['implicit'] : [])],
    jwks: { keys: [key.jwk] },
    token_endpoint_auth_method: variant.clientAuth,
    response_types: [variant.responseType],
    redirect_uris: [redirectUri],
    contacts: ['certification@oidf.org'],
  }
}

/** CallDynamicRegistrationEndpointAndVerifySuccessfulResponse; what was registered is removed when the module ends. */
export async function registerClient(
  run: Run,
  more: Readonly<Record<string, unknown>> = {},
): Promise<RegisteredClient> {
  const key = clientKey('RS256')
  const answer = await callRegistrationEndpoint(run, { ...registrationRequest(run, key), ...more })
  assert.equal(answer.status, 201, answer.text)
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
  const { client_id, client_secret, redirect_uris, registration_client_uri, registration_access_token } = answer.json
  assert.ok(client_id)
  assert.ok(registration_client_uri?.startsWith('https://') && registration_access_token)
  const hasSecret = run.variant.clientAuth.startsWith('client_secret')
  assert.equal(client_secret !== undefined, hasSecret, 'VerifyDynamicRegistrationResponseClientCredentials')
  assert.equal(answer.json.client_secret_expires_at, hasSecret ? 0 : undefined)
  run.cleanups.push(async () => {
    const call = { method: 'DELETE', token: registration_access_token }
    const { status } = await run.suite.stile.send(new URL(registration_client_uri).pathname, call)
    assert.equal(status, 204, 'UnregisterDynamicallyRegisteredClient')
  })
  const [first = ''] = redirect_uris as string[]
  return { clientId: client_id, clientSecret: client_secret ?? '', redirectUri: first, key, registration: answer.json }
}

/** CallDynamicRegistrationEndpoint. Members that are undefined are left out. */
export function callRegistrationEndpoint({ suite }: Run, metadata: Readonly<Record<string, unknown>>): Promise<Answer> {
  return registering(suite.stile, metadata)
}

/** How a client proves who it is: what it adds to the form, and a header. */
async function clientAuthentication(
  run: Run,
  { clientId, clientSecret, key }: Client,
  audience = `${run.suite.stile.issuer}/token`,
): Promise<{ readonly form: Readonly<Record<string, string>>; readonly headers: Readonly<Record<string, string>> }> {
  switch (run.variant.clientAuth) {
    case 'client_secret_basic':
      return { form: {}, headers: { authorization: basic(clientId, clientSecret) } }
    case 'client_secret_post':
      return { form: { client_id: clientId, client_secret: clientSecret }, headers: {} }
    case 'private_key_jwt': {
      const jwt = await assertion(run.suite.stile, clientId, key ?? assert.fail('it has a key'), {
        aud: audience,
        nbf: Math.floor(run.suite.now() / 1000),
      })
      return { form: { client_assertion: jwt, client_assertion_type: assertionType }, headers: {} }
    }
  }
}

/** CallTokenEndpoint. */
export async function callTokenEndpoint(
  run: Run,
  client: Client,
  form: Readonly<Record<string, string>>,
  audience?: string,
): Promise<Answer> {
  const proof = await clientAuthentication(run, client, audience)
  const { stile } = run.suite
  return stile.send(`/${stile.environmentId}/as/token`, {
    body: new URLSearchParams({ ...form, ...proof.form }),
    headers: proof.headers,
  })
}

/** CallProtectedResource, CallUserInfoEndpoint. */
export function callUserInfoEndpoint(
  { suite: { stile } }: Run,
  accessToken: string,
  way: 'get' | 'post' | 'body' = 'get',
): Promise<Answer> {
  const path = `/${stile.environmentId}/as/userinfo`
  if (way === 'body') return stile.send(path, { body: new URLSearchParams({ access_token: accessToken }) })
  return stile.send(path, { method: way.toUpperCase(), token: accessToken })
}
