/** Modules about what a client says of itself when it registers. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Answer } from '../../harness/stile.ts'
import { clientKey } from '../../oauth/assertions.ts'
import { unescaped } from '../suite/browser.ts'
import { authorize, isSignOnPage } from '../suite/flow.ts'
import {
  callRegistrationEndpoint,
  redirectUri,
  registerClient,
  registrationRequest,
  serverConfiguration,
} from '../suite/relying-party.ts'
import type { Module, Run } from '../suite/run.ts'
import { suiteUrl } from '../suite/suite.ts'

/** A refusal of the registration endpoint. */
async function refused(run: Run, metadata: Readonly<Record<string, unknown>>): Promise<Answer['json']> {
  const request = { ...registrationRequest(run, clientKey('RS256')), ...metadata }
  const { status, headers, json, text } = await callRegistrationEndpoint(run, request)
  assert.equal(status, 400, text)
  assert.match(headers.get('content-type') ?? '', /^application\/json/)
  return json
}

function checkErrorFromDynamicRegistrationEndpointIsInvalidClientMetadata({ error }: Answer['json']): void {
  assert.equal(error, 'invalid_client_metadata')
}

/** Registers a client with an address for its users, whose sign-on page a person looks at. */
async function shownOnSignOnPage(run: Run, metadata: Readonly<Record<string, string>>): Promise<string> {
  const { shown } = await authorize(run, { client: await registerClient(run, metadata) })
  const page = shown.find(isSignOnPage) ?? assert.fail('there is a sign-on page')
  run.pictures.push(page)
  return page.html
}

const picture = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')

/** OIDCCRegistrationLogoUri. */
export const logoUri: Module = async (run) => {
  const { published, stile } = run.suite
  published.documents.set('/logo.png', { headers: { 'content-type': 'image/png' }, body: picture })
  const html = await shownOnSignOnPage(run, { logo_uri: `${published.base}/logo.png` })
  const source = /<img src="([^"]*)"/.exec(html)?.[1] ?? ''
  const logo = await stile.send(new URL(unescaped(source)).pathname)
  assert.equal(logo.headers.get('content-type'), 'image/png')
}

/** OIDCCRegistrationPolicyUri and OIDCCRegistrationTosUri: a link on the sign-on page. */
const linkOf =
  (member: 'policy_uri' | 'tos_uri'): Module =>
  async (run) => {
    const address = `${suiteUrl}/client1_${member}`
    assert.ok((await shownOnSignOnPage(run, { [member]: address })).includes(`href="${address}"`))
  }

export const policyUri = linkOf('policy_uri')
export const tosUri = linkOf('tos_uri')

/** OIDCCRegistrationJwksUri. */
export const jwksUri: Module = async (run) => {
  const { published } = run.suite
  const key = clientKey('RS256', randomUUID())
  const path = `/client1_jwks/${randomUUID()}`
  published.documents.set(path, { body: { keys: [key.jwk] } })
  const client = await registerClient(run, { jwks: undefined, jwks_uri: `${published.base}${path}` })
  await authorize(run, { client: { ...client, key } })
  assert.ok(published.hits(path) > 0)
}

/** A client of a sector, whose document lists some addresses. */
async function ofSector(run: Run, listed: readonly string[]) {
  const { json } = await serverConfiguration(run)
  if (!json.subject_types_supported.includes('pairwise')) run.skip('pairwise is not supported')
  const path = `/redirect_uris/${randomUUID()}.json`
  run.suite.published.documents.set(path, { body: listed })
  return { subject_type: 'pairwise', sector_identifier_uri: `${run.suite.published.base}${path}` }
}

/** OIDCCRegistrationSectorUri. */
export const sectorUri: Module = async (run) => {
  const metadata = await ofSector(run, [redirectUri, `${suiteUrl}/other`])
  const { registration } = await registerClient(run, metadata)
  assert.equal(registration.sector_identifier_uri, metadata.sector_identifier_uri)
}

/** OIDCCRegistrationSectorBad. */
export const sectorBad: Module = async (run) => {
  const answer = await refused(run, await ofSector(run, [`${suiteUrl}/other`]))
  run.warns(checkErrorFromDynamicRegistrationEndpointIsInvalidClientMetadata, answer)
}

/** OIDCC3rdPartyInitLogin: the address is kept, and read back. */
export const thirdPartyInitiatedLogin: Module = async (run) => {
  const initiate_login_uri = `${suiteUrl}/initiate_login`
  const { registration } = await registerClient(run, { initiate_login_uri })
  assert.equal(registration.initiate_login_uri, initiate_login_uri)
  const { pathname } = new URL(registration.registration_client_uri)
  const read = await run.suite.stile.send(pathname, { token: registration.registration_access_token })
  assert.equal(read.status, 200)
  assert.match(read.headers.get('content-type') ?? '', /^application\/json/)
  assert.equal(read.json.initiate_login_uri, initiate_login_uri)
}

/** OIDCC3rdPartyInitLoginNonHttps. */
export const thirdPartyInitiatedLoginWithoutHttps: Module = async (run) => {
  const initiate_login_uri = `${suiteUrl}/initiate_login`.replace('https:', 'http:')
  checkErrorFromDynamicRegistrationEndpointIsInvalidClientMetadata(await refused(run, { initiate_login_uri }))
}
