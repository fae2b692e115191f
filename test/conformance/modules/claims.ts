/** Modules that ask for claims, by scopes or one by one, and call userinfo in every way. */
import * as idTokens from '../conditions/id-token.ts'
import * as userinfo from '../conditions/userinfo.ts'
import { authorizationUrl, authorize, type Changes, type Flow } from '../suite/flow.ts'
import { callUserInfoEndpoint, registerClient, serverConfiguration } from '../suite/relying-party.ts'
import type { Module, Run } from '../suite/run.ts'
import assert from 'node:assert/strict'

type Claims = Readonly<Record<string, unknown>>

/** Calls userinfo with the last access token of a flow, and reads what it says as JSON. */
async function userInfoOf(run: Run, { accessToken = '' }: Flow, way: 'get' | 'post' | 'body' = 'get'): Promise<Claims> {
  const answer = await callUserInfoEndpoint(run, accessToken, way)
  userinfo.ensureHttpStatusCodeIs200(answer)
  userinfo.ensureContentTypeJson(answer)
  return userinfo.extractUserInfoFromUserInfoEndpointResponse(answer)
}

/** What is checked of all userinfo. */
function validateUserInfo({ suite }: Run, { authorizationIdToken, tokenIdToken }: Flow, claims: Claims): void {
  userinfo.validateUserInfoStandardClaims(claims)
  userinfo.ensureUserInfoContainsSub(claims)
  userinfo.ensureUserInfoUpdatedAtValid(claims, suite.now())
  userinfo.ensureMemberValuesInClaimNameReferenceToMemberNamesInClaimSources(claims)
  for (const token of [authorizationIdToken, tokenIdToken]) {
    if (token) userinfo.verifyUserInfoAndIdTokenSameSub(claims, token)
  }
}

const userInfoBy =
  (way: 'get' | 'post' | 'body'): Module =>
  async (run) => {
    const flow = await authorize(run)
    validateUserInfo(run, flow, await userInfoOf(run, flow, way))
  }

export const userInfoGet = userInfoBy('get')
export const userInfoPostHeader = userInfoBy('post')
export const userInfoPostBody = userInfoBy('body')

/** OIDCCUserInfoRS256. */
export const userInfoRs256: Module = async (run) => {
  const { json } = await serverConfiguration(run)
  assert.ok(json.userinfo_signing_alg_values_supported.includes('RS256'))
  const client = await registerClient(run, { userinfo_signed_response_alg: 'RS256' })
  const flow = await authorize(run, { client })
  const answer = await callUserInfoEndpoint(run, flow.accessToken ?? '')
  userinfo.ensureContentTypeApplicationJwt(answer)
  const claims = await userinfo.validateUserInfoResponseSignature(answer, flow.facts.keys, run.suite.now())
  const { issuer, clientId } = flow.facts
  run.warns(userinfo.validateSignedUserInfoResponseStandardJWTClaims, claims, issuer, clientId)
  userinfo.ensureUserInfoDoesNotContainNonce(claims)
  validateUserInfo(run, flow, claims)
}

/** AbstractOIDCCReturnedClaimsServerTest: claims of scopes come with userinfo, or with the ID token where there is no access token. */
async function returnedClaims(run: Run, changes: Changes): Promise<Flow & { readonly claims: Claims | undefined }> {
  const { json } = await serverConfiguration(run)
  const scopes = (changes.scope ?? 'openid').split(' ')
  if (!scopes.every((scope) => json.scopes_supported.includes(scope))) run.skip('the scope is not supported')
  const flow = await authorize(run, changes)
  if (flow.accessToken === undefined) {
    run.warns(idTokens.verifyScopesReturnedInAuthorizationEndpointIdToken, flow.idToken, flow.scope)
    return { ...flow, claims: undefined }
  }
  const claims = await userInfoOf(run, flow)
  validateUserInfo(run, flow, claims)
  run.warns(userinfo.verifyScopesReturnedInUserInfoClaims, claims, flow.scope)
  return { ...flow, claims }
}

const scope =
  (name: string): Module =>
  async (run) => {
    await returnedClaims(run, { scope: name })
  }

export const scopeProfile = scope('openid profile')
export const scopeAddress = scope('openid address')
export const scopePhone = scope('openid phone')
export const scopeAll = scope('openid email phone address profile')

/** OIDCCScopeEmail, and OIDCCAlternateHappyFlow, which asks for the same in another order. */
const email =
  (changes: (run: Run) => Changes): Module =>
  async (run) => {
    const { claims, idToken } = await returnedClaims(run, changes(run))
    run.warns(idTokens.ensureIdTokenDoesNotContainName, idToken)
    if (claims === undefined) return
    run.warns(idTokens.ensureIdTokenDoesNotContainEmailForScopeEmail, idToken)
    run.warns(userinfo.ensureUserInfoDoesNotContainName, claims)
  }

export const scopeEmail = email(() => ({ scope: 'openid email' }))

export const alternateHappyFlow = email((run) => ({
  scope: 'email openid',
  send: (request) => run.browser.open(authorizationUrl(run, Object.fromEntries(Object.entries(request).toReversed()))),
}))

/** OIDCCClaimsEssential. */
export const claimsEssential: Module = async (run) => {
  const place = run.variant.responseType === 'id_token' ? 'id_token' : 'userinfo'
  const asked = JSON.stringify({ [place]: { name: { essential: true } } })
  const { claims, idToken } = await returnedClaims(run, { parameters: { claims: asked } })
  if (claims === undefined) return run.warns(idTokens.ensureIdTokenContainsName, idToken)
  run.warns(userinfo.ensureUserInfoContainsName, claims)
  run.warns(idTokens.ensureIdTokenDoesNotContainName, idToken)
}
