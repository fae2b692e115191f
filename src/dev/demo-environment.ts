/**
 * The demo environment of `stile dev`: a worker application as administrator, a population, a user and three
 * applications, made through the public management API as any client would. What is there already is kept; redirect
 * URIs follow the port at each start.
 *
 * Never: a default password. Every secret is random and known only to the data directory.
 */
import { applicationSecretContext } from '../environment/application.ts'
import { administratorName, createAdministrator } from '../access/administrator.ts'
import { defaultSettings } from '../environment/settings.ts'
import type { Node } from '../http/node.ts'
import { open } from '../keys/sealing.ts'
import { applicationSecret, firstAdministrator } from '../storage/sql/applications.ts'
import type { World } from '../world.ts'
import { ensureDevices } from './demo-mfa-user.ts'
import { type ApiObject, ManagementClient, workerToken } from './management-client.ts'
import type { Quickstart } from './quickstart.ts'

const names = {
  environment: 'Demo',
  population: 'Default',
  user: { username: 'demo', name: { given: 'Dora', family: 'Demo' } },
  mfaUser: { username: 'demo-mfa', name: { given: 'Max', family: 'Factor' } },
  singlePageApp: 'Demo single-page application',
  webApp: 'Demo web application',
  nativeApp: 'Demo native application',
  mfaApp: 'Demo application with a second factor',
} as const

/** Makes the demo environment, or brings it up to date. */
export async function ensureDemoEnvironment(node: Node, previous: Quickstart | undefined): Promise<Quickstart> {
  const { kernel, app } = node
  const { authUrl, apiUrl } = kernel.origins
  const worker = (await findAdministrator(node)) ?? (await newAdministrator(node))
  const { environmentId } = worker
  const api = new ManagementClient(app, await workerToken(app, environmentId, worker.clientId, worker.clientSecret))
  const environment = `/environments/${environmentId}`
  const { organization } = (await api.call('GET', environment)) as unknown as { organization: ApiObject }
  const population = await ensurePopulation(api, environment)
  const user = await ensureUser(api, environment, population.id, names.user, kernel.world, previous?.user)
  const second = await ensureUser(api, environment, population.id, names.mfaUser, kernel.world, previous?.mfaUser)
  const withAddress = { id: second.id, email: addressOf(names.mfaUser) }
  const totpSecret = await ensureDevices(api, environment, withAddress, kernel.world, previous?.mfaUser)
  const existing = await api.list(`${environment}/applications`, 'applications')
  const ensure = (name: string, properties: object, redirectUri: (clientId: string) => string) =>
    ensureApplication(api, environment, existing, { name, ...properties }, redirectUri)
  const callback = (clientId: string) => `${authUrl}/dev/app/${clientId}/callback`
  const singlePageApp = await ensure(names.singlePageApp, singlePage, callback)
  const webApp = await ensure(names.webApp, web, callback)
  const nativeApp = await ensure(names.nativeApp, native, () => 'http://127.0.0.1/callback')
  const mfaApp = await ensure(names.mfaApp, singlePage, callback)
  await ensurePolicy(api, environment, mfaApp)
  const { secret } = (await api.call('GET', `${environment}/applications/${webApp}/secret`)) as unknown as {
    secret: string
  }
  const issuer = `${authUrl}/${environmentId}/as`
  return {
    authUrl,
    apiUrl,
    organizationId: organization.id,
    environmentId,
    populationId: population.id,
    issuer,
    discoveryUrl: `${issuer}/.well-known/openid-configuration`,
    inboxUrl: `${authUrl}/dev/inbox`,
    worker: { clientId: worker.clientId, clientSecret: worker.clientSecret },
    singlePageApp: { clientId: singlePageApp, redirectUri: callback(singlePageApp) },
    webApp: { clientId: webApp, clientSecret: secret, redirectUri: callback(webApp) },
    nativeApp: { clientId: nativeApp, redirectUri: 'http://127.0.0.1/callback' },
    mfaApp: { clientId: mfaApp, redirectUri: callback(mfaApp) },
    user,
    mfaUser: { ...second, totpSecret },
  }
}

interface Administrator {
  readonly environmentId: string
  readonly clientId: string
  readonly clientSecret: string
}

async function findAdministrator({ kernel }: Node): Promise<Administrator | undefined> {
  const [row] = await kernel.storage.read(firstAdministrator(administratorName))
  if (!row) return undefined
  const environment = await kernel.environments.get(row.environment_id)
  const [stored] = await kernel.storage.read(applicationSecret(row.environment_id, row.id))
  if (!environment || !stored) return undefined
  const clientSecret = open(
    environment.dataKey,
    stored.sealed,
    applicationSecretContext(environment.id, row.id),
  ).toString()
  return { environmentId: environment.id, clientId: row.id, clientSecret }
}

async function newAdministrator({ kernel }: Node): Promise<Administrator> {
  const clientId = kernel.world.uuid()
  const clientSecret = kernel.world.bytes(48).toString('base64url')
  const { environmentId } = await createAdministrator(kernel, {
    organizationName: 'Demo organization',
    environmentName: names.environment,
    clientId,
    clientSecret,
    settings: { ...defaultSettings, signingAlgorithm: kernel.config.devSigningAlgorithm },
  })
  return { environmentId, clientId, clientSecret }
}

async function ensurePopulation(api: ManagementClient, environment: string): Promise<ApiObject> {
  const [population] = await api.list(`${environment}/populations`, 'populations')
  return population ?? api.call('POST', `${environment}/populations`, { name: names.population, default: true })
}

async function ensureUser(
  api: ManagementClient,
  environment: string,
  populationId: string,
  profile: Profile,
  world: World,
  previous: Quickstart['user'] | undefined,
): Promise<Quickstart['user']> {
  const { username } = profile
  const filter = encodeURIComponent(`username eq "${username}"`)
  const [known] = await api.list(`${environment}/users?filter=${filter}`, 'users')
  if (known && previous?.id === known.id) return { id: known.id, username, password: previous.password }
  const user =
    known ??
    (await api.call('POST', `${environment}/users`, {
      ...profile,
      email: addressOf(profile),
      population: { id: populationId },
    }))
  const password = demoPassword(world)
  await api.call(
    'PUT',
    `${environment}/users/${user.id}/password`,
    { value: password },
    'application/vnd.pingidentity.password.set+json',
  )
  return { id: user.id, username, password }
}

interface Profile {
  readonly username: string
  readonly name: object
}

function addressOf({ username }: Profile): string {
  return `${username}@example.com`
}

/** The application asks for a second factor, and for nothing else. */
async function ensurePolicy(api: ManagementClient, environment: string, applicationId: string): Promise<void> {
  const assignments = `${environment}/applications/${applicationId}/signOnPolicyAssignments`
  const [present] = await api.list(assignments, 'signOnPolicyAssignments')
  if (present) return
  const policies = await api.list(`${environment}/signOnPolicies`, 'signOnPolicies')
  const policy = policies.find((each) => each['name'] === 'Multi_Factor')
  if (policy) await api.call('POST', assignments, { priority: 1, signOnPolicy: { id: policy.id } })
}

/** Random, and with a character of each class that the standard password policy asks for. */
function demoPassword(world: World): string {
  // Consonants and vowels in turn, so that no letter ever follows itself: the policy refuses three in a row.
  const consonants = 'bcdfghjkmnpqrstvwxz'
  const vowels = 'aeiouy'
  const letters = [...world.bytes(15)].map((byte, at) => {
    const alphabet = at % 2 === 0 ? consonants : vowels
    return alphabet[byte % alphabet.length] ?? ''
  })
  const digits = [...world.bytes(3)].map((byte) => String(2 + (byte % 8)))
  return `${letters.slice(0, 5).join('')}-${letters.slice(5, 10).join('').toUpperCase()}-${digits[0]}${letters.slice(10).join('')}${digits[1]}`
}

const openIdConnect = {
  enabled: true,
  protocol: 'OPENID_CONNECT',
  responseTypes: ['CODE'],
  grantTypes: ['AUTHORIZATION_CODE'],
} as const

const singlePage = {
  ...openIdConnect,
  type: 'SINGLE_PAGE_APP',
  grantTypes: ['AUTHORIZATION_CODE', 'IMPLICIT'],
  responseTypes: ['CODE', 'TOKEN', 'ID_TOKEN'],
  tokenEndpointAuthMethod: 'NONE',
  pkceEnforcement: 'S256_REQUIRED',
} as const

const web = {
  ...openIdConnect,
  type: 'WEB_APP',
  tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
  pkceEnforcement: 'OPTIONAL',
} as const

const native = {
  ...openIdConnect,
  type: 'NATIVE_APP',
  tokenEndpointAuthMethod: 'NONE',
  pkceEnforcement: 'S256_REQUIRED',
} as const

/** @returns the client id */
async function ensureApplication(
  api: ManagementClient,
  environment: string,
  existing: readonly ApiObject[],
  properties: { readonly name: string },
  redirectUri: (clientId: string) => string,
): Promise<string> {
  const applications = `${environment}/applications`
  const known = existing.find((application) => application['name'] === properties.name)
  const application =
    known ?? (await api.call('POST', applications, { ...properties, redirectUris: ['http://localhost/callback'] }))
  const { id } = application
  if (!known) await grantOpenIdScopes(api, environment, id)
  const [present] = application['redirectUris'] as readonly string[]
  const wanted = redirectUri(id)
  if (present !== wanted) await api.call('PUT', `${applications}/${id}`, { ...application, redirectUris: [wanted] })
  return id
}

async function grantOpenIdScopes(api: ManagementClient, environment: string, applicationId: string): Promise<void> {
  const resources = await api.list(`${environment}/resources`, 'resources')
  const openid = resources.find((resource) => resource['type'] === 'OPENID_CONNECT')
  if (!openid) throw new Error('the environment has no openid resource')
  const scopes = await api.list(`${environment}/resources/${openid.id}/scopes`, 'scopes')
  const granted = scopes.filter((scope) => scope['name'] !== 'openid').map(({ id }) => ({ id }))
  await api.call('POST', `${environment}/applications/${applicationId}/grants`, {
    resource: { id: openid.id },
    scopes: granted,
  })
}
