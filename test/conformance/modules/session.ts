/** Modules that come to the authorization endpoint a second time, with the session of the first. */
import assert from 'node:assert/strict'
import * as responses from '../conditions/authorization-response.ts'
import * as idTokens from '../conditions/id-token.ts'
import { authorize, errorResponse, isSignOnPage, redirect } from '../suite/flow.ts'
import { clientOf } from '../suite/relying-party.ts'
import type { Module, Run } from '../suite/run.ts'

/** OIDCCPromptLogin: the user signs on once more, and a person looks at that page. */
export const promptLogin: Module = async (run) => {
  const [first, second] = await signedOnTwice(run, { prompt: 'login' }, 1)
  idTokens.checkSecondIdTokenAuthTimeIsLaterIfPresent(first.idToken, second.idToken)
}

/** OIDCCMaxAge1. */
export const maxAge1: Module = async (run) => {
  const [first, second] = await signedOnTwice(run, { max_age: '1' }, 2)
  for (const token of [second.authorizationIdToken, second.tokenIdToken]) {
    if (!token) continue
    idTokens.checkIdTokenAuthTimeClaimPresentDueToMaxAge(token)
    idTokens.checkSecondIdTokenAuthTimeIsLaterIfPresent(first.idToken, token)
    idTokens.checkIdTokenAuthTimeIsRecentIfPresent(token, second.facts)
  }
}

async function signedOnTwice(run: Run, parameters: Readonly<Record<string, string>>, seconds: number) {
  const client = await clientOf(run)
  const first = await authorize(run, { client })
  await run.suite.wait(seconds)
  const second = await authorize(run, { client, parameters })
  const [page] = second.shown.filter(isSignOnPage)
  run.pictures.push(page ?? assert.fail('ExpectSecondLoginPage'))
  return [first, second] as const
}

/** OIDCCPromptNoneNotLoggedIn. */
export const promptNoneNotLoggedIn: Module = async (run) => {
  const visited = await redirect(run, await clientOf(run), { parameters: { prompt: 'none' } })
  responses.checkErrorFromAuthorizationEndpointIsOneThatRequiredAUserInterface(errorResponse(run, visited))
}

/** OIDCCPromptNoneLoggedIn. */
export const promptNoneLoggedIn: Module = (run) => sameAuthenticationTwice(run, {}, () => ({ prompt: 'none' }))

/** OIDCCMaxAge10000. */
export const maxAge10000: Module = async (run) => {
  const [first, second] = await sameAuthentication(run, { max_age: '15000' }, () => ({ max_age: '10000' }))
  for (const { idToken } of [first, second]) idTokens.checkIdTokenAuthTimeClaimPresentDueToMaxAge(idToken)
}

/** OIDCCIdTokenHint. */
export const idTokenHint: Module = (run) =>
  sameAuthenticationTwice(run, {}, (jwt) => ({ prompt: 'none', id_token_hint: jwt }))

type Parameters = Readonly<Record<string, string>>

async function sameAuthenticationTwice(
  run: Run,
  first: Parameters,
  then: (idToken: string) => Parameters,
): Promise<void> {
  await sameAuthentication(run, first, then)
}

/** AbstractOIDCCSameAuthTwiceServerTest: the second time nothing is asked of the user. */
async function sameAuthentication(run: Run, parameters: Parameters, then: (idToken: string) => Parameters) {
  const client = await clientOf(run)
  const first = await authorize(run, { client, parameters })
  await run.suite.wait(1)
  const second = await authorize(run, { client, parameters: then(first.idToken.jwt) })
  assert.deepEqual(second.shown.filter(isSignOnPage), [])
  idTokens.checkIdTokenAuthTimeClaimsSameIfPresent(first.idToken, second.idToken)
  idTokens.checkIdTokenSubConsistentForSecondAuthorization(first.idToken, second.idToken)
  return [first, second] as const
}
