/**
 * Every place where somebody outside can name an address that the server asks later (row G01, "U"): how it is written, what a
 * refusal calls it, and how the server comes to ask there.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { until } from '../delivery/sending.ts'
import { assign, begin, newApplication, newPolicy } from '../flow-runtime/arrange.ts'
import { providerBody } from '../flow-runtime/external.ts'
import { Browser } from '../harness/sign-on.ts'
import type { Answer } from '../harness/stile.ts'
import { codeRequest } from '../oauth/journeys.ts'
import { registered, registering, webClient } from '../oauth/registering.ts'
import { type AskingNode, openPolicy } from './asking-node.ts'
import {
  application,
  byPublishedKey,
  byReference,
  delivery,
  inDocument,
  logo,
  provider,
  redirectUri,
  registration,
  tell,
  type UrlInput,
} from './url-input-kinds.ts'

const phone = '/notificationsSettings/phoneDeliverySettings'
const email = '/notificationsSettings/emailDeliverySettings'
const sms = { deliveryMethod: 'SMS', to: '+4915123456789' } as const
const bearer = { method: 'BEARER', authToken: 'x' }
const byToken = (authUrl: string) => ({ method: 'OAUTH2', authUrl, clientId: 'c', clientSecret: randomUUID() })
const custom = (deliveryMethod: string, url: string, authentication: object) => ({
  provider: 'CUSTOM_PROVIDER',
  name: 'Own',
  authentication,
  requests: [{ deliveryMethod, method: 'POST', url, body: 'to=${to}&text=${message}' }],
})
const customEmail = (url: string, authentication: object) => ({
  ...custom('EMAIL', url, authentication),
  protocol: 'HTTP',
  from: { address: 'signon@app.test' },
})
const smtp = (host: string) => ({ protocol: 'SMTP', host, port: 465, from: { address: 'signon@app.test' } })

const serviceKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
})
const serviceAccount = (token_uri: string) => ({
  type: 'FCM_HTTP_V1',
  googleServiceAccountCredentials: JSON.stringify({
    type: 'service_account',
    project_id: 'lantern-books',
    client_email: `push-${randomUUID()}@lantern-books.iam.gserviceaccount.com`,
    private_key: serviceKey,
    token_uri,
  }),
})
const writeServiceAccount = ({ stile, app }: AskingNode, url: string) =>
  stile.api('POST', app.credentials, serviceAccount(url))

const trusting = (node: AskingNode, jwksUrl: string) =>
  node.stile.api('PUT', '/clientRegistrationPolicy', {
    ...openPolicy,
    clientIdMetadataDocuments: { enabled: true },
    softwareStatements: { trustedIssuers: [{ issuer: 'https://issuer.test', jwksUrl }] },
  })

/** A step of a sign-on policy that asks. */
async function writeWebhook(node: AskingNode, url: string): Promise<Answer> {
  const { stile } = node
  const { id } = await node.once('policy', () => newPolicy(stile))
  const webhook = { url, timeoutMilliseconds: 2000, onError: 'DENY' }
  return stile.api('POST', `/signOnPolicies/${id}/actions`, { type: 'WEBHOOK', priority: 1, webhook })
}

/** Changes the picture of a client that has registered itself. */
async function changeIcon(node: AskingNode, href: string): Promise<Answer> {
  const { stile } = node
  const { json } = await node.once('client with a picture', async () => {
    const { client_id } = await registered(stile, webClient)
    return stile.api('GET', `/applications/${client_id}`)
  })
  return stile.api('PUT', `/applications/${json.id}`, { ...json, icon: { id: 'i', href } })
}

const signedKeys = (jwksUrl: string) => ({ tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT', jwksUrl })
const publishedKeys = (jwks_uri: string) => ({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri })

/** All of them. */
export const urlInputs: readonly UrlInput[] = [
  application('jwksUrl', signedKeys, byPublishedKey),
  application('requestUris.0', (url) => ({ requestUris: [url] }), byReference),
  application('sectorIdentifierUri', (sectorIdentifierUri) => ({ sectorIdentifierUri }), logo),
  application('backchannelLogoutUri', (backchannelLogoutUri) => ({ backchannelLogoutUri }), tell),
  registration('jwks_uri', publishedKeys, byPublishedKey),
  registration(
    'request_uris',
    (url) => ({ request_uris: [url] }),
    (node, id, url) => byReference(node, id, url, webClient.redirect_uris[0]),
  ),
  registration('sector_identifier_uri', (sector_identifier_uri) => ({ sector_identifier_uri }), logo),
  registration('logo_uri', (logo_uri) => ({ logo_uri }), logo),
  registration('backchannel_logout_uri', (backchannel_logout_uri) => ({ backchannel_logout_uri }), tell),
  {
    name: 'icon.href that an administrator gives a client that has registered itself',
    member: 'icon.href',
    write: (node, url) => changeIcon(node, url),
    async ask(node, url) {
      const written = await changeIcon(node, url)
      return written.status === 200 ? logo(node, written.json.id) : written
    },
  },
  {
    name: 'client_id',
    ask: ({ stile }, url) =>
      new Browser(stile).authorize(codeRequest({ clientId: url, clientSecret: '', redirectUri })),
  },
  inDocument('jwks_uri', publishedKeys, byPublishedKey),
  inDocument(
    'backchannel_logout_uri',
    (backchannel_logout_uri) => ({ backchannel_logout_uri }),
    async (node, id) =>
      tell(node, (await node.stile.node.kernel.environments.client(node.stile.environmentId, id))?.id ?? ''),
  ),
  inDocument(
    'logo_uri',
    (logo_uri) => ({ logo_uri }),
    async (node, id) =>
      logo(node, (await node.stile.node.kernel.environments.client(node.stile.environmentId, id))?.id ?? ''),
    true,
  ),
  inDocument(
    'sector_identifier_uri',
    (sector_identifier_uri) => ({ sector_identifier_uri }),
    async () => undefined,
    true,
  ),
  inDocument(
    'request_uris',
    (url) => ({ request_uris: [url] }),
    (node, id, url) => byReference(node, id, url, 'https://client.test/cb'),
    true,
  ),
  {
    name: 'jwksUrl of an issuer of software statements',
    member: 'softwareStatements.trustedIssuers.0.jwksUrl',
    write: trusting,
    async ask(node, url) {
      const written = await trusting(node, url)
      if (written.status !== 200) return written
      const statement = new SignJWT({ iss: 'https://issuer.test', software_id: 'reader' })
      const software_statement = await statement.setProtectedHeader({ alg: 'ES256' }).sign(node.key.privateKey)
      return registering(node.stile, { ...webClient, software_statement })
    },
  },
  ...['discoveryEndpoint', 'tokenEndpoint', 'jwksEndpoint', 'userInfoEndpoint'].map((member) => provider(member)),
  provider('in the discovery document', true),
  {
    name: 'issuer of an identity provider',
    member: 'issuer',
    write: ({ stile }, url) =>
      stile.api('POST', '/identityProviders', providerBody('https://idp.test', 's', { issuer: url })),
    isNeverAsked: true,
    ask: ({ stile }, url) =>
      stile.api('POST', '/identityProviders', providerBody('https://idp.test', 's', { issuer: url })),
  },
  {
    name: 'webhook.url of a step of a sign-on policy',
    member: 'webhook.url',
    write: writeWebhook,
    async ask(node, url) {
      const { stile, person } = node
      const step = { type: 'WEBHOOK', webhook: { url, timeoutMilliseconds: 2000, onError: 'DENY' } } as const
      const { client, path } = await node.once('webhook', async () => {
        const made = await newPolicy(stile, { type: 'LOGIN' }, step)
        const application = await newApplication(stile)
        await assign(stile, application, made)
        return { client: application, path: `/signOnPolicies/${made.id}/actions/${made.actions[1]}` }
      })
      const written = await stile.api('PUT', path, { ...step, priority: 2 })
      if (written.status !== 200) return written
      const browser = new Browser(stile)
      const flowId = await begin(browser, 'pi.flow', { client_id: client })
      const { username, password } = person
      return browser.act(flowId, 'usernamePassword.check', { username, password })
    },
  },
  delivery('requests.0.url', phone, (url) => custom('SMS', url, bearer), sms),
  delivery('authentication.authUrl', phone, (url) => custom('SMS', 'https://sms.test/', byToken(url)), sms),
  delivery('requests.0.url', email, (url) => customEmail(url, bearer), {}),
  delivery('authentication.authUrl', email, (url) => customEmail('https://mail.test/', byToken(url)), {}),
  { ...delivery('host', email, (url) => smtp(URL.parse(url)?.hostname ?? url), {}), isHost: true },
  {
    name: 'token_uri of a service account',
    member: 'googleServiceAccountCredentials',
    write: writeServiceAccount,
    async ask(node, url) {
      const written = await writeServiceAccount(node, url)
      if (written.status !== 201) return written
      const { deviceId, userId, credentials } = node.app
      const usefulUntil = node.sending.world.now() + 60_000
      const message = { template: 'strong_authentication', deliveryMethod: 'Push', to: '', deviceId, userId } as const
      await node.sending.promise({ ...message, usefulUntil, variables: { 'application.name': 'Books' } })
      await until('the token endpoint is asked', () => node.isAsked(url))
      await node.stile.api('DELETE', `${credentials}/${written.json.id}`)
      return undefined
    },
  },
]
