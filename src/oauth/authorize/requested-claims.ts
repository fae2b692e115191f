/**
 * What the `claims` parameter of an authorization request means for it: OpenID Connect Core sections 5.5 and 5.5.1.1. The
 * claims that the application's scopes may bring are kept with the grant; `acr` and `sub` decide which policies may run
 * and who may be signed on.
 *
 * Never: a claim kept that no scope of the application brings; an essential `acr` that is not met taken for met.
 */
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { userOfSubject } from '../../environment/subject.ts'
import { problem } from '../../errors/problem.ts'
import { candidatePolicies } from '../../flow-runtime/candidates.ts'
import { grantedResources } from '../granted-resources.ts'
import { type ClaimsRequest, readClaimsRequest, wantedSubjects, claimWithValues } from '../rules/claims-request.ts'
import { scopesOfClaims } from '../tokens/claims.ts'

/**
 * Reads the parameter.
 * @throws Problem invalid_request
 */
export function requestedClaims(text: string | undefined): ClaimsRequest | null {
  if (text === undefined) return null
  const request = readClaimsRequest(text)
  if ('refused' in request) throw problem('invalid_request', { description: request.refused })
  return request
}

/** The claims of a request that the application may have, and null where that is none. */
export function obtainableClaims(
  environment: Environment,
  client: Application,
  request: ClaimsRequest | null,
): ClaimsRequest | null {
  const granted = grantedResources(environment, client)
    .filter(({ type }) => type === 'OPENID_CONNECT')
    .flatMap(({ scopes }) => scopes)
  const isObtainable = ({ name }: { readonly name: string }) =>
    scopesOfClaims(environment, [name]).some((scope) => granted.includes(scope))
  if (!request) return null
  const [idToken, userinfo] = [request.idToken.filter(isObtainable), request.userinfo.filter(isObtainable)]
  return idToken.length + userinfo.length > 0 ? { idToken, userinfo } : null
}

/**
 * The names of the policies that may run, by `acr_values` and the `acr` claim. An essential one leaves those it names; any
 * other is a wish, that counts where `acr_values` says nothing and a policy of that name may run.
 * @throws Problem unmet_authentication_requirements where an essential one leaves none
 */
export function policiesAskedFor(
  environment: Environment,
  client: Application,
  acrValues: readonly string[],
  request: ClaimsRequest | null,
): readonly string[] {
  const acr = request && claimWithValues(request, 'acr')
  if (!acr) return acrValues
  const wanted = (acr.values ?? []).filter((value) => typeof value === 'string')
  const named = acrValues.length > 0 ? acrValues.filter((name) => wanted.includes(name)) : wanted
  const mayRun = named.length > 0 && candidatePolicies(environment, client, named).length > 0
  if (!acr.essential) return acrValues.length === 0 && mayRun ? named : acrValues
  if (!mayRun) throw problem('unmet_authentication_requirements')
  return named
}

/**
 * The only user that may be signed on, by `id_token_hint` and the `sub` claim; null: anybody.
 * @throws Problem invalid_request where they leave nobody, or cannot say whom
 */
export function userAskedFor(
  environment: Environment,
  client: Application,
  hintedUserId: string | null,
  request: ClaimsRequest | null,
): string | null {
  const wanted = request && wantedSubjects(request)
  if (!wanted) return hintedUserId
  const subjects = wanted.map((value) =>
    typeof value === 'string' ? userOfSubject(environment, client, value) : undefined,
  )
  const [subject, ...others] = subjects.filter((value) => hintedUserId === null || value === hintedUserId)
  if (typeof subject !== 'string' || others.length > 0) {
    throw problem('invalid_request', { description: 'the sub claim does not say which user is meant' })
  }
  return subject
}
