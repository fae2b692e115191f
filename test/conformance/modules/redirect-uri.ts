/** Modules about where the answer goes. */
import assert from 'node:assert/strict'
import { authorize, errorPage, redirect } from '../suite/flow.ts'
import {
  callRegistrationEndpoint,
  clientOf,
  redirectUri,
  registerClient,
  registrationRequest,
} from '../suite/relying-party.ts'
import type { Module } from '../suite/run.ts'
import { clientKey } from '../../oauth/assertions.ts'

/** OIDCCEnsureRegisteredRedirectUri: an error page, and no way to an address that is not registered. */
export const registeredRedirectUri: Module = async (run) => {
  const client = await clientOf(run)
  errorPage(run, await redirect(run, client, { parameters: { redirect_uri: `${client.redirectUri}UNREGISTERED` } }))
}

/** OIDCCEnsureRedirectUriInAuthorizationRequest. */
export const redirectUriInRequest: Module = async (run) => {
  const client = await registerClient(run, { redirect_uris: [redirectUri, `${redirectUri}?dummy1=lorem&dummy2=ipsum`] })
  errorPage(run, await redirect(run, client, { parameters: { redirect_uri: undefined } }))
}

const withQuery = `${redirectUri}?foo=bar`

/** OIDCCRedirectUriQueryOK: the query that was registered is still there. */
export const redirectUriQueryOk: Module = async (run) => {
  await authorize(run, { client: await registerClient(run, { redirect_uris: [withQuery] }) })
}

/** OIDCCRedirectUriQueryMismatch. */
export const redirectUriQueryMismatch: Module = async (run) => {
  const client = await registerClient(run, { redirect_uris: [withQuery] })
  errorPage(run, await redirect(run, client, { parameters: { redirect_uri: `${redirectUri}?bar=foo` } }))
}

/** OIDCCRedirectUriQueryAdded. */
export const redirectUriQueryAdded: Module = async (run) => {
  const client = await registerClient(run)
  errorPage(run, await redirect(run, client, { parameters: { redirect_uri: `${client.redirectUri}?foo=bar` } }))
}

/** OIDCCRedirectUriRegFrag. */
export const redirectUriFragment: Module = async (run) => {
  const metadata = { ...registrationRequest(run, clientKey('RS256')), redirect_uris: [`${redirectUri}#foobar`] }
  const { status, headers, json } = await callRegistrationEndpoint(run, metadata)
  assert.equal(status, 400)
  assert.match(headers.get('content-type') ?? '', /^application\/json/)
  run.warns(checkErrorFromDynamicRegistrationEndpointIsInvalidRedirectUriOrInvalidClientMetadata, json)
}

function checkErrorFromDynamicRegistrationEndpointIsInvalidRedirectUriOrInvalidClientMetadata(json: {
  readonly error: string
}): void {
  assert.match(json.error, /^(invalid_redirect_uri|invalid_client_metadata)$/)
}
