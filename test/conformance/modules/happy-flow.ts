/** Modules that run the flow to its end with something else in the request, or look closer at what came of it. */
import * as responses from '../conditions/authorization-response.ts'
import * as idTokens from '../conditions/id-token.ts'
import * as tokens from '../conditions/token-response.ts'
import {
  authorizationUrl,
  authorize,
  type Changes,
  errorPage,
  errorResponse,
  type Flow,
  redirect,
} from '../suite/flow.ts'
import { clientOf, registerClient, serverConfiguration } from '../suite/relying-party.ts'
import type { Module, Run } from '../suite/run.ts'
import { includes } from '../suite/variants.ts'
import { hasArrived } from '../suite/browser.ts'
import { pkce } from '../../harness/sign-on.ts'

/** OIDCCServerTest. */
export const server: Module = async (run) => {
  const flow = await authorize(run)
  for (const token of [flow.authorizationIdToken, flow.tokenIdToken]) {
    if (token) run.warns(idTokens.ensureIdTokenDoesNotContainName, token)
  }
  checkHashes(run, flow)
  if (flow.code !== undefined) {
    responses.ensureMinimumAuthorizationCodeLength(flow.code)
    responses.ensureMinimumAuthorizationCodeEntropy(flow.code)
  }
  if (flow.tokenResponse) run.warns(tokens.extractExpiresInFromTokenEndpointResponse, flow.tokenResponse)
  run.warns(idTokens.ensureIdTokenDoesNotContainNonRequestedClaims, flow.idToken, flow.scope)
}

/** Hashes have to be there for what came with the ID token, and have to be right where they are. */
function checkHashes({ variant }: Run, flow: Flow): void {
  const { authorizationIdToken: front, tokenIdToken: back, code = '', frontToken = '', accessToken = '' } = flow
  if (front) {
    if (includes(variant, 'token')) idTokens.extractAtHash(front)
    if (includes(variant, 'code')) idTokens.extractCHash(front)
    if (front.claims['at_hash'] !== undefined) idTokens.validateAtHash(front, frontToken)
    if (front.claims['c_hash'] !== undefined) idTokens.validateCHash(front, code)
  }
  if (back?.claims['at_hash'] !== undefined) idTokens.validateAtHash(back, accessToken)
  if (back?.claims['c_hash'] !== undefined) idTokens.validateCHash(back, code)
}

/** OIDCCIdTokenSignature. */
export const idTokenSignature: Module = async (run) => {
  const { authorizationIdToken, tokenIdToken } = await authorize(run)
  for (const token of [authorizationIdToken, tokenIdToken]) {
    if (!token) continue
    idTokens.ensureIdTokenContainsKid(token)
    idTokens.ensureIdTokenSignatureIsRS256(token)
  }
}

/** OIDCCIdTokenRS256. */
export const idTokenRs256: Module = async (run) => {
  const client = await registerClient(run, { id_token_signed_response_alg: 'RS256' })
  const { idToken } = await authorize(run, { client })
  idTokens.ensureIdTokenContainsKid(idToken)
  idTokens.checkIdTokenSignatureAlgorithm(idToken, 'RS256')
}

/** OIDCCIdTokenUnsigned. */
export const idTokenUnsigned: Module = async (run) => {
  const { json } = await serverConfiguration(run)
  if (!json.id_token_signing_alg_values_supported.includes('none')) run.skip('none is not supported')
  const client = await registerClient(run, { id_token_signed_response_alg: 'none' })
  const { idToken } = await authorize(run, { client })
  idTokens.checkIdTokenSignatureAlgorithm(idToken, 'none')
}

/** A module that runs the flow with changes, and looks for nothing that it does not look for anyway. */
const succeedsWith =
  (changes: (run: Run) => Changes): Module =>
  async (run) => {
    await authorize(run, changes(run))
  }

export const clientSecretPost = succeedsWith(() => ({}))
export const withoutNonceSucceeds = succeedsWith(() => ({ parameters: { nonce: undefined } }))
export const displayPage = succeedsWith(() => ({ parameters: { display: 'page' } }))
export const displayPopup = succeedsWith(() => ({ parameters: { display: 'popup' } }))
export const unknownParameter = succeedsWith(() => ({ parameters: { extra: 'foobar' } }))
/** What the suite hints where it is not told whom: nobody is called so here, and whoever signs on is welcome. */
export const loginHint = succeedsWith(() => ({ parameters: { login_hint: 'buffy@op.test' } }))
export const uiLocales = succeedsWith(() => ({ parameters: { ui_locales: 'se' } }))
export const claimsLocales = succeedsWith(() => ({ parameters: { claims_locales: 'se' } }))

/** OIDCCEnsureRequestWithAcrValuesSucceeds: with all values that the server names. */
export const acrValues: Module = async (run) => {
  const { json } = await serverConfiguration(run)
  const acr_values: string = json.acr_values_supported?.join(' ') ?? '1 2'
  const { idToken } = await authorize(run, { parameters: { acr_values } })
  run.warns(idTokens.validateIdTokenACRClaimAgainstAcrValuesRequest, idToken, acr_values)
}

/** OIDCCEnsureRequestWithValidPkceSucceeds. */
export const validPkce: Module = async (run) => {
  const { verifier, challenge } = pkce()
  const parameters = { code_challenge: challenge, code_challenge_method: 'S256' }
  await authorize(run, { parameters, tokenParameters: { code_verifier: verifier } })
}

/** OIDCCEnsurePostRequestSucceeds. */
export const postRequest = succeedsWith((run) => ({
  send: (request) => run.browser.submit({ action: authorizationUrl(run, {}), fields: request }),
}))

/** OIDCCResponseTypeMissing: an error page, or a response that says what is wrong. */
export const responseTypeMissing: Module = async (run) => {
  const visited = await redirect(run, await clientOf(run), { parameters: { response_type: undefined } })
  if (!hasArrived(visited.place)) return errorPage(run, visited)
  // Without a response type the answer is in the query, unless a form posts it.
  const parameters = errorResponse(run, visited, { ...run.variant, responseType: 'code' })
  responses.checkErrorFromAuthorizationEndpointErrorInvalidRequestOrUnsupportedResponseType(parameters)
}

/** OIDCCEnsureRequestWithoutNonceFails. */
export const withoutNonceFails: Module = async (run) => {
  const visited = await redirect(run, await clientOf(run), { parameters: { nonce: undefined } })
  if (!hasArrived(visited.place)) return errorPage(run, visited)
  responses.checkErrorFromAuthorizationEndpointErrorInvalidRequest(errorResponse(run, visited))
}
