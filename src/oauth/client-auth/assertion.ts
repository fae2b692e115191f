/**
 * Client assertions, whatever they are signed by: RFC 7521 section 4.2, RFC 7523 sections 2.2 and 3, OpenID Connect Core
 * section 9, decision D8. Rows C18, D10-D14 and group F.
 */
import { verifyClientJwt } from '../client-keys.ts'
import { type AssertionExpectations, assertionTypes, clientAssertionProblem } from '../rules/client-assertion.ts'
import type { ClientAlgorithm } from '../rules/client-algorithms.ts'
import { clockSkew } from '../rules/client-jwt-claims.ts'
import { isFapiAlgorithm, keepsFapi } from '../rules/fapi.ts'
import { resolveSite } from '../../site.ts'
import type { Attempt, ClientProof } from './method.ts'

/**
 * Verifies an assertion by the keys of the application it is said to come from.
 * @param algorithms those of the method; the application may have settled on one of them
 */
export async function proveByAssertion(
  { context, environment, application }: Attempt,
  assertion: string,
  algorithms: readonly ClientAlgorithm[],
): Promise<ClientProof | undefined> {
  const { tokenEndpointAuthSigningAlg: only } = application.document
  const isFapi = keepsFapi(application.document)
  const jwt = await verifyClientJwt(context, environment, application, assertion, {
    algorithms: algorithms.filter(
      (algorithm) => (only ?? algorithm) === algorithm && (!isFapi || isFapiAlgorithm(algorithm)),
    ),
    types: assertionTypes,
  })
  if (!jwt.ok) return undefined
  if (clientAssertionProblem(jwt.claims, expectationsOf({ context, environment, application })) !== undefined) {
    return undefined
  }
  const { jti, exp } = jwt.claims as { readonly jti: string; readonly exp: number }
  // Twice the skew: once for the clock of the client, once between the nodes.
  const usableUntil = Math.ceil(exp + 2 * clockSkew) * 1000
  return { proofs: [{ kind: 'client-assertion', issuer: application.id, jti, usableUntil }] }
}

function expectationsOf({ context, environment, application }: Attempt): AssertionExpectations {
  const { issuer } = resolveSite(context.kernel.origins, environment)
  const acceptsTokenEndpoint = application.document.acceptTokenEndpointAudience === true
  return {
    clientId: application.clientId,
    issuer,
    tokenEndpoint: acceptsTokenEndpoint ? `${issuer}/token` : undefined,
    longestLife: environment.settings.clientAssertionSeconds,
    now: context.now,
  }
}
