/**
 * The demo environment of `stile dev`: a worker application as administrator, a population, two users and four
 * applications, made through the public management API as any client would. What is there already is kept; redirect
 * URIs follow the port at each start.
 *
 * Never: a default password. Every secret is random and known only to the data directory.
 */
import { createAdministrator } from '../access/administrator.ts'
import { defaultSettings } from '../environment/settings.ts'
import type { Node } from '../http/node.ts'
import type { World } from '../world.ts'
import { type DemoApplication, demoNames, type DemoParts, demoRedirectUri, quickstartOf } from './demo-facts.ts'
import { ensureDevices } from './demo-mfa-user.ts'
import { type DemoAdministrator, storedAdministrator, storedParts } from './demo-stored.ts'
import { type ApiObject, ManagementClient, workerToken } from './management-client.ts'
import type { Quickstart } from './quickstart.ts'

/** Makes the demo environment, or brings it up to date. */
export async function ensureDemoEnvironment(node: Node, previous: Quickstart | undefined): Promise<Quickstart> {
  const { kernel } = node
  const stored = previous && (await storedParts(kernel, previous))
  return quickstartOf(kernel.origins, stored ?? (await ensureParts(node, previous)))
}

async function ensureParts(node: Node, previous: Quickstart | undefined): Promise<DemoParts> {
  const { kernel, app } = node
  const { environmentId, ...worker } = (await storedAdministrator(kernel)) ?? (await newAdministrator(node))
  const api = new ManagementClient(app, await workerToken(app, environmentId, worker.clientId, worker.clientSecret))
  const environment = `/environments/${environmentId}`
  const { organization } = (await api.call('GET', environment)) as unknown as { organization: ApiObject }
  const population = await ensurePopulation(api, environment)
  const user = await ensureUser(api, environment, population.id, demoNames.user, kernel.world, previous?.user)
  const second = await ensureUser(api, environment, population.id, demoNames.mfaUser, kernel.world, previous?.mfaUser)
  const withAddress = { id: second.id, email: addressOf(demoNames.mfaUser) }
  const totpSecret = await ensureDevices(api, environment, withAddress, kernel.world, previous?.mfaUser)
  const existing = await api.list(`${environment}/applications`, 'applications')
  const ensure = (name: DemoApplication, properties: object) =>
    ensureApplication(api, environment, existing, { name: demoNames[name], ...properties }, (clientId) =>
      demoRedirectUri(kernel.origins, name, clientId),
    )
  const clientIds = {
    singlePageApp: await ensure('singlePageApp', singlePage),
    webApp: await ensure('webApp', web),
    nativeApp: await ensure('nativeApp', native),
    mfaApp: await ensure('mfaApp', singlePage),
  }
  await ensurePolicy(api, environment, clientIds.mfaApp)
  const { secret } = (await api.call('GET', `${environment}/applications/${clientIds.webApp}/secret`)) as unknown as {
    secret: string
  }
  return {
    organizationId: organization.id,
    environmentId,
    populationId: population.id,
    worker,
    clientIds,
    webAppSecret: secret,
    user,
    mfaUser: { ...second, totpSecret },
  }
}

async function newAdministrator({ kernel }: Node): Promise<DemoAdministrator> {
  const clientId = kernel.world.uuid()
  const clientSecret = kernel.world.bytes(48).toString('base64url')
  const { environmentId } = await createAdministrator(kernel, {
    organizationName: 'Demo organization',
    environmentName: demoNames.environment,
    clientId,
    clientSecret,
    settings: { ...defaultSettings, signingAlgorithm: kernel.config.devSigningAlgorithm },
  })
  return { environmentId, clientId, clientSecret }
}

async function ensurePopulation(api: ManagementClient, environment: string): Promise<ApiObject> {
  const [population] = await api.list(`${environment}/populations`, 'populations')
  return population ?? api.call('POST', `${environment}/populations`, { name: demoNames.population, default: true })
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
