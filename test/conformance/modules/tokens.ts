/** Modules about the token endpoint: codes that come twice, refresh tokens, and how clients prove who they are. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Answer } from '../../harness/stile.ts'
import { clientKey } from '../../oauth/assertions.ts'
import * as idTokens from '../conditions/id-token.ts'
import * as tokens from '../conditions/token-response.ts'
import * as userinfo from '../conditions/userinfo.ts'
import { authorizationCodeGrant, authorize, type Flow, type Request } from '../suite/flow.ts'
import {
  callTokenEndpoint,
  callUserInfoEndpoint,
  type Client,
  clientOf,
  registerClient,
  serverConfiguration,
} from '../suite/relying-party.ts'
import type { Module, Run } from '../suite/run.ts'

/** AbstractOIDCCAuthCodeReuse: redeems the code of a flow once more. */
async function redeemAgain(run: Run, { client, code = '' }: Flow): Promise<void> {
  const answer = await callTokenEndpoint(run, client, authorizationCodeGrant(client, code))
  tokens.checkTokenEndpointHttpStatus400(answer)
  checkErrorResponse(run, answer)
}

function checkErrorResponse(run: Run, answer: Answer): void {
  tokens.checkTokenEndpointReturnedJsonContentType(answer)
  tokens.checkErrorFromTokenEndpointResponseErrorInvalidGrant(answer)
  tokens.validateErrorFromTokenEndpointResponseError(answer)
  run.warns(tokens.checkErrorDescriptionFromTokenEndpointResponseErrorContainsCRLFTAB, answer)
  tokens.validateErrorDescriptionFromTokenEndpointResponseError(answer)
  tokens.validateErrorUriFromTokenEndpointResponseError(answer)
}

/** OIDCCAuthCodeReuse. */
export const codeReuse: Module = async (run) => {
  await redeemAgain(run, await authorize(run))
}

/** OIDCCAuthCodeReuseAfter30Seconds: what was issued by the code is revoked. */
export const codeReuseAfter30Seconds: Module = async (run) => {
  const flow = await authorize(run)
  await run.suite.wait(30)
  await redeemAgain(run, flow)
  run.warns(userinfo.ensureHttpStatusCodeIs4xx, await callUserInfoEndpoint(run, flow.accessToken ?? ''))
}

const offline = { scope: 'openid offline_access', parameters: { prompt: 'consent' } }

/** OIDCCRefreshToken: for two clients, neither of which can use what the other was given. */
export const refreshToken: Module = async (run) => {
  const metadata = { grant_types: grantTypesWithRefresh(run) }
  const [first, second] = [await clientOf(run, metadata), await clientOf(run, metadata, 2)]
  await refreshed(run, first, { scope: offline.scope })
  const theirs = await refreshed(run, second)
  const answer = await callTokenEndpoint(run, first, { grant_type: 'refresh_token', refresh_token: theirs })
  tokens.checkTokenEndpointHttpStatus400(answer)
  checkErrorResponse(run, answer)
}

function grantTypesWithRefresh({ variant }: Run): readonly string[] {
  return ['authorization_code', ...(variant.responseType === 'code' ? [] : ['implicit']), 'refresh_token']
}

/** Signs the user on for when they are away, refreshes the tokens, and gives the refresh token that counts then. */
async function refreshed(run: Run, client: Client, more: Request = {}): Promise<string> {
  const { json } = await serverConfiguration(run)
  const flow = await authorize(run, { client, ...offline })
  const refreshToken: string = flow.tokenResponse?.json.refresh_token ?? run.skip('no refresh token was issued')
  run.warns(ensureServerConfigurationSupportsRefreshToken, json)
  tokens.ensureRefreshTokenContainsAllowedCharactersOnly(refreshToken)
  return refreshTokenRequest(run, client, flow, { refresh_token: refreshToken, ...more })
}

function ensureServerConfigurationSupportsRefreshToken(metadata: { readonly grant_types_supported: string[] }): void {
  assert.ok(metadata.grant_types_supported.includes('refresh_token'))
}

/** RefreshTokenRequestSteps. */
async function refreshTokenRequest(run: Run, client: Client, flow: Flow, form: Request): Promise<string> {
  await run.suite.wait(1)
  const answer = await callTokenEndpoint(run, client, { grant_type: 'refresh_token', ...form })
  tokens.checkTokenEndpointHttpStatus200(answer)
  tokens.checkTokenEndpointReturnedJsonContentType(answer)
  tokens.checkTokenEndpointCacheHeaders(answer)
  tokens.checkIfTokenEndpointResponseError(answer)
  tokens.checkTokenTypeIsBearer(answer)
  tokens.ensureMinimumAccessTokenEntropy(answer)
  tokens.ensureAccessTokenContainsAllowedCharactersOnly(answer)
  run.warns(tokens.extractExpiresInFromTokenEndpointResponse, answer)
  tokens.validateExpiresIn(answer)
  tokens.ensureAccessTokenValuesAreDifferent(flow.accessToken ?? '', answer.json.access_token)
  idTokens.compareIdTokenClaims(flow.idToken, idTokens.extractIdToken(answer.json.id_token))
  const next: string = answer.json.refresh_token ?? form['refresh_token']
  tokens.ensureMinimumRefreshTokenLength(next)
  tokens.ensureMinimumRefreshTokenEntropy(next)
  userinfo.ensureHttpStatusCodeIs200(await callUserInfoEndpoint(run, answer.json.access_token))
  return next
}

/** OIDCCRefreshTokenRPKeyRotation: the client has a new key at its address, and proves by it who it is. */
export const refreshTokenAfterKeyRotation: Module = async (run) => {
  const { published } = run.suite
  const path = `/client1_jwks/${randomUUID()}`
  const [before, after] = [clientKey('RS256', randomUUID()), clientKey('RS256', randomUUID())]
  published.documents.set(path, { body: { keys: [before.jwk] } })
  const metadata = { jwks: undefined, jwks_uri: `${published.base}${path}`, grant_types: grantTypesWithRefresh(run) }
  const client = { ...(await registerClient(run, metadata)), key: before }
  const flow = await authorize(run, { client, ...offline })
  published.documents.set(path, { body: { keys: [after.jwk] } })
  await run.suite.wait(60)
  const { refresh_token } = flow.tokenResponse?.json ?? {}
  await refreshTokenRequest(run, { ...client, key: after }, flow, { refresh_token, scope: offline.scope })
}

/** OIDCCEnsureClientAssertionWithIssAudSucceeds. */
export const assertionForIssuer: Module = async (run) => {
  await authorize(run, { audience: run.suite.stile.issuer })
}
