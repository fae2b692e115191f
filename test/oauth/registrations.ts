/** Applications, grants, resources and users made through the management API, for tests of the OAuth endpoints. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Answer, Stile } from '../harness/stile.ts'

/** A registered application. */
export interface Registered {
  readonly clientId: string
  /** Empty for a public client. */
  readonly clientSecret: string
  readonly redirectUri: string
}

/** A person who can sign on. */
export interface Person {
  readonly id: string
  readonly username: string
  readonly password: string
}

/** The fixture `web` of the security catalogue: confidential, exactly one redirect URI, code only. */
export const web = {
  enabled: true,
  type: 'WEB_APP',
  protocol: 'OPENID_CONNECT',
  grantTypes: ['AUTHORIZATION_CODE'],
  responseTypes: ['CODE'],
  tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
  pkceEnforcement: 'OPTIONAL',
  redirectUris: ['https://app.test/cb'],
}

/** `spa`: public, PKCE by S256, tokens from the front channel too. */
export const spa = {
  ...web,
  type: 'SINGLE_PAGE_APP',
  grantTypes: ['AUTHORIZATION_CODE', 'IMPLICIT'],
  responseTypes: ['CODE', 'TOKEN', 'ID_TOKEN'],
  tokenEndpointAuthMethod: 'NONE',
  pkceEnforcement: 'S256_REQUIRED',
}

/** `nat`: a native application with a loopback address and a scheme of its own. */
export const nat = {
  ...web,
  type: 'NATIVE_APP',
  tokenEndpointAuthMethod: 'NONE',
  pkceEnforcement: 'S256_REQUIRED',
  redirectUris: ['http://127.0.0.1/cb', 'com.example.app:/cb'],
}

/** `wrk`: an application that acts for itself. */
export const wrk = {
  ...web,
  type: 'WORKER',
  grantTypes: ['CLIENT_CREDENTIALS'],
  responseTypes: [],
  redirectUris: [],
}

/** Expects a status and returns the body. */
export function expectStatus(answer: Answer, status: number): Answer['json'] {
  assert.equal(answer.status, status, answer.text)
  return answer.json
}

/**
 * Registers an application.
 * @param properties one of the fixtures above, with what the test wants otherwise
 * @param scopes names of OpenID Connect scopes to grant; `openid` itself needs no grant
 */
export async function register(
  stile: Stile,
  properties: typeof web | object = web,
  scopes: readonly string[] = ['profile', 'email', 'address', 'phone'],
): Promise<Registered> {
  const application = expectStatus(
    await stile.api('POST', '/applications', { name: `Application ${randomUUID()}`, ...properties }),
    201,
  )
  const { id, redirectUris, tokenEndpointAuthMethod } = application
  if (scopes.length > 0) {
    const openid = await builtInResource(stile, 'OPENID_CONNECT')
    await grant(
      stile,
      id,
      openid.id,
      scopes.map((name) => openid.scope(name)),
    )
  }
  const isPublic = tokenEndpointAuthMethod === 'NONE'
  const secret = isPublic ? '' : expectStatus(await stile.api('GET', `/applications/${id}/secret`), 200).secret
  return { clientId: id, clientSecret: secret, redirectUri: redirectUris?.[0] ?? '' }
}

/** Changes members of an application. */
export async function change(stile: Stile, clientId: string, members: object): Promise<void> {
  const present = expectStatus(await stile.api('GET', `/applications/${clientId}`), 200)
  expectStatus(await stile.api('PUT', `/applications/${clientId}`, { ...present, ...members }), 200)
}

/** A resource whose scopes can be named. */
export interface Resource {
  readonly id: string
  /** The id of a scope. */
  readonly scope: (name: string) => string
}

/** A resource that came with the environment. */
export async function builtInResource(stile: Stile, type: 'OPENID_CONNECT' | 'PINGONE_API'): Promise<Resource> {
  const { _embedded } = expectStatus(await stile.api('GET', '/resources'), 200)
  const { id } = _embedded.resources.find((resource: { type: string }) => resource.type === type)
  return { id, scope: await scopesByName(stile, id) }
}

/** Makes a custom resource with scopes. */
export async function customResource(stile: Stile, properties: object, scopes: readonly string[]): Promise<Resource> {
  const { id } = expectStatus(
    await stile.api('POST', '/resources', { name: `Resource ${randomUUID()}`, ...properties }),
    201,
  )
  for (const name of scopes) expectStatus(await stile.api('POST', `/resources/${id}/scopes`, { name }), 201)
  return { id, scope: await scopesByName(stile, id) }
}

async function scopesByName(stile: Stile, resourceId: string): Promise<(name: string) => string> {
  const { _embedded } = expectStatus(await stile.api('GET', `/resources/${resourceId}/scopes`), 200)
  const ids = new Map<string, string>(
    _embedded.scopes.map((scope: { name: string; id: string }) => [scope.name, scope.id]),
  )
  return (name) => {
    const id = ids.get(name)
    assert.ok(id, `there is no scope ${name}`)
    return id
  }
}

/** Grants scopes of a resource to an application. */
export async function grant(
  stile: Stile,
  clientId: string,
  resourceId: string,
  scopeIds: readonly string[],
): Promise<void> {
  const body = { resource: { id: resourceId }, scopes: scopeIds.map((id) => ({ id })) }
  expectStatus(await stile.api('POST', `/applications/${clientId}/grants`, body), 201)
}

/** Makes a person of the demo population. */
export async function person(stile: Stile, properties: object = {}): Promise<Person> {
  const username = `person-${randomUUID()}`
  const password = 'Seven-Green-Boats-41'
  const user = { username, population: { id: stile.populationId }, ...properties }
  // Only an import may say that an address was proved.
  const call = 'emailVerified' in properties ? { mediaType: 'application/vnd.pingidentity.user.import+json' } : {}
  const { id } = expectStatus(await stile.api('POST', '/users', user, call), 201)
  await setPassword(stile, id, password)
  return { id, username, password }
}

/** Sets a password as an administrator. */
export async function setPassword(stile: Stile, userId: string, value: string): Promise<void> {
  const mediaType = 'application/vnd.pingidentity.password.set+json'
  expectStatus(await stile.api('PUT', `/users/${userId}/password`, { value }, { mediaType }), 200)
}

/** Makes a sign-on policy with one LOGIN action and assigns it to an application. */
export async function assignPolicy(
  stile: Stile,
  clientId: string,
  name: string,
  priority: number,
  condition?: object,
): Promise<string> {
  const { id } = expectStatus(await stile.api('POST', '/signOnPolicies', { name }), 201)
  const action = { type: 'LOGIN', priority: 1, ...(condition ? { condition } : {}) }
  expectStatus(await stile.api('POST', `/signOnPolicies/${id}/actions`, action), 201)
  expectStatus(
    await stile.api('POST', `/applications/${clientId}/signOnPolicyAssignments`, { priority, signOnPolicy: { id } }),
    201,
  )
  return id
}

/** Makes another environment, and reaches it as if it were the demo one. */
export async function otherEnvironment(stile: Stile): Promise<Stile> {
  const { _embedded } = expectStatus(await stile.api('GET', `/v1/organizations/${stile.organizationId}/licenses`), 200)
  const body = {
    name: `Environment ${randomUUID()}`,
    type: 'SANDBOX',
    region: 'NA',
    license: { id: _embedded.licenses[0].id },
  }
  const { id } = expectStatus(await stile.api('POST', '/v1/environments', body), 201)
  const api: Stile['api'] = (method, path, ...rest) =>
    stile.api(method, path.startsWith('/v1') ? path : `/v1/environments/${id}${path}`, ...rest)
  const population = expectStatus(await api('POST', '/populations', { name: 'People' }), 201)
  return {
    ...stile,
    environmentId: id,
    populationId: population.id,
    issuer: stile.issuer.replace(stile.environmentId, id),
    api,
  }
}

/** How many rows of its environment a table has. */
export async function rowsOf(
  stile: Stile,
  table: 'authorization_codes' | 'sessions' | 'flows' | 'token_families',
): Promise<number> {
  const statement = {
    text: `SELECT COUNT(*) AS count FROM ${table} WHERE environment_id = $1`,
    values: [stile.environmentId],
  }
  const [row] = await stile.node.kernel.storage.read<{ count: number }>(statement)
  return row?.count ?? 0
}
