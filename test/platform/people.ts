/** Actors and users for tests of `~/users`: administrators of one scope, and the tokens of users. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { roleNamed, type ScopeType } from '../../src/access/roles.ts'
import { openFamily } from '../../src/oauth/token-family.ts'
import { prepareAccessToken } from '../../src/oauth/tokens/access-token.ts'
import { resolveSite } from '../../src/site.ts'
import { insert } from '../../src/storage/operations.ts'
import { absent } from '../storage/absent.ts'
import { createDemoDatabase } from '../harness/demo-template.ts'
import { type Answer, basic, type Stile, startStile, type StileOptions } from '../harness/stile.ts'
import { startPostgres } from '../storage/postgres-cluster.ts'

/** The body of an answer, as tests read it. */
export type Json = Answer['json']

/**
 * Runs the tests against a node of each engine. `stile` may be called once a test runs.
 * @param shared what the nodes have in common
 */
export async function onEachEngine(
  name: string,
  tests: (stile: () => Stile) => void,
  shared: StileOptions = {},
): Promise<void> {
  const against = (options: () => Promise<StileOptions>, stop?: () => Promise<void>) => () => {
    let stile: Stile | undefined
    before(async () => {
      stile = await startStile(await options())
    })
    after(async () => {
      await stile?.close()
      await stop?.()
    })
    tests(() => {
      assert(stile)
      return stile
    })
  }
  suite(
    `${name}, embedded engine`,
    against(async () => shared),
  )
  const cluster = await startPostgres()
  if ('missing' in cluster) test(`${name}, PostgreSQL`, (context) => absent(context, cluster.missing))
  else {
    const options = async () => ({ ...shared, databaseUrl: await createDemoDatabase(cluster) })
    suite(
      `${name}, PostgreSQL`,
      against(options, () => cluster.stop()),
    )
  }
}

/** Makes a population and returns its id. */
export async function addPopulation(stile: Stile): Promise<string> {
  const { status, json } = await stile.api('POST', '/populations', { name: `Population ${randomUUID()}` })
  assert.equal(status, 201)
  return json.id as string
}

/** A user of a test; the password satisfies the standard policy. */
export const password = 'Blue-Horse-27-Staple'

/** Makes a user and returns the answer. */
export async function addUser(stile: Stile, properties: Readonly<Record<string, unknown>> = {}): Promise<Json> {
  const body = { username: `user-${randomUUID()}`, ...properties }
  const imported = 'application/vnd.pingidentity.user.import+json'
  const { status, json } = await stile.api('POST', '/users', body, { mediaType: imported })
  assert.equal(status, 201, JSON.stringify(json))
  return json
}

/** A role to hold: by name, at a scope. */
export interface Held {
  readonly role: string
  readonly type: ScopeType
  readonly id: string
}

/** Makes a worker application that holds roles, and returns its token. */
export async function administrator(stile: Stile, ...roles: readonly Held[]): Promise<string> {
  const { json: application } = await stile.api('POST', '/applications', {
    name: `Worker ${randomUUID()}`,
    enabled: true,
    protocol: 'OPENID_CONNECT',
    type: 'WORKER',
    grantTypes: ['CLIENT_CREDENTIALS'],
    tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
  })
  await giveRoles(stile, `/applications/${application.id}`, roles)
  const { json: secret } = await stile.api('GET', `/applications/${application.id}/secret`)
  const token = await stile.send(`/${stile.environmentId}/as/token`, {
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
    headers: { authorization: basic(application.id, secret.secret) },
  })
  assert.equal(token.status, 200, token.text)
  return token.json.access_token as string
}

/** Gives roles to an application or user: `/applications/…`, `/users/…`. */
export async function giveRoles(stile: Stile, path: string, roles: readonly Held[]): Promise<void> {
  for (const { role, type, id } of roles) {
    const body = { role: { id: roleNamed(role).id }, scope: { type, id } }
    const { status, text } = await stile.api('POST', `${path}/roleAssignments`, body)
    assert.equal(status, 201, text)
  }
}

/** Signs a user on to the single-page application, as far as storage and tokens go. */
export function userToken(stile: Stile, userId: string, ...scopes: readonly string[]): Promise<string> {
  return tokenOfSignOn(stile, userId, scopes, 0)
}

/** The same for a sign-on that lies some seconds back, to another application, or with a second factor. */
export async function tokenOfSignOn(
  stile: Stile,
  userId: string,
  scopes: readonly string[],
  secondsAgo: number,
  clientId = stile.singlePageApp.clientId,
  mfaSecondsAgo?: number,
): Promise<string> {
  const { kernel } = stile.node
  const environment = await kernel.environments.get(stile.environmentId)
  assert(environment)
  const now = kernel.world.now()
  const user = {
    id: userId,
    sessionId: randomUUID(),
    acr: 'Single_Factor',
    amr: ['pwd'],
    authTime: Math.floor(now / 1000) - secondsAgo,
  }
  const grantId = randomUUID()
  await kernel.storage.commit({
    name: 'test.sign-on',
    *run() {
      yield* insert('sessions', {
        environment_id: environment.id,
        id: user.sessionId,
        token_hash: randomUUID(),
        user_id: userId,
        document: JSON.stringify({
          lastSignOn: {
            at: now,
            remoteIp: '198.51.100.7',
            withAuthenticator: {
              pwd: { at: now, policyId: environment.defaultPolicyId },
              ...(mfaSecondsAgo === undefined
                ? {}
                : { mfa: { at: now - mfaSecondsAgo * 1000, policyId: environment.defaultPolicyId } }),
            },
            policyId: environment.defaultPolicyId,
          },
          locations: [{ at: now, remoteIp: '198.51.100.7' }],
          userAgent: '',
        }),
        version: 1,
        created_at: now,
        active_at: now,
        expires_at: now + 3_600_000,
      })
      yield* openFamily(environment, { id: grantId, clientId, user, scopes }, now)
    },
  })
  const client = await kernel.environments.application(stile.environmentId, clientId)
  assert(client)
  const content = {
    jti: randomUUID(),
    client,
    scopes,
    audiences: [],
    lifetime: 3600,
    user,
    grantId,
    confirmation: undefined,
  }
  const site = resolveSite(kernel.origins, environment)
  return (await prepareAccessToken({ kernel, now }, environment, site, content)).token
}

/** `application/vnd.pingidentity.<operation>+json` */
export function vendor(operation: string): { readonly mediaType: string } {
  return { mediaType: `application/vnd.pingidentity.${operation}+json` }
}
