/**
 * Signed authentication requests: OpenID CIBA Core section 7.1.1, FAPI-CIBA section 5.2.2. All parameters of the request are
 * claims of one JWT that the client has signed with a private key.
 *
 * Never: a symmetric signature, a JWT without an end or used twice, or a parameter beside the JWT.
 */
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import { type Problem, problem } from '../../errors/problem.ts'
import { verifyClientJwt } from '../client-keys.ts'
import { keyAlgorithms } from '../rules/client-algorithms.ts'
import type { RequestParameters } from '../parameters.ts'
import { clientJwtProblem } from '../rules/client-jwt-claims.ts'
import type { OneTimeJwt } from '../../access/used-jwt.ts'

/** How long such a request may live, and how far back it may begin; seconds. */
const longestLife = 3600

/** What stays outside: how the client authenticates. */
const clientParameters = new Set(['request', 'client_id', 'client_secret', 'client_assertion', 'client_assertion_type'])
const registeredClaims = new Set(['iss', 'aud', 'exp', 'iat', 'nbf', 'jti'])

/** The parameters of a request, out of the form or of the JWT in it. */
export interface ReadRequest extends Pick<RequestParameters, 'values' | 'resources'> {
  /** A signed request counts once: for the unit that stores what it asks for. */
  readonly once: OneTimeJwt | undefined
}

/**
 * Reads the parameters of a request whose client has authenticated.
 * @throws Problem invalid_request
 */
export async function readSignedRequest(
  context: Context,
  client: Application,
  { values, resources }: RequestParameters,
): Promise<ReadRequest> {
  const { request } = values
  if (request === undefined) return { values, resources, once: undefined }
  const beside = Object.keys(values).find((name) => !clientParameters.has(name))
  if (beside !== undefined) throw invalid(`${beside} stands beside the signed request`)
  const { environment, site, now } = context
  const check = { algorithms: keyAlgorithms, types: [undefined, 'jwt'] }
  const verdict = await verifyClientJwt(context, environment, client, request, check)
  if (!verdict.ok) throw invalid('the signature of the request does not hold')
  const { claims } = verdict
  const wrong = clientJwtProblem(claims, { issuer: client.id, audiences: [site.issuer], longestLife, now })
  if (wrong !== undefined) throw invalid(`the signed request: ${wrong}`)
  const { jti, exp, nbf, iat } = claims
  if (typeof jti !== 'string' || jti === '') throw invalid('the signed request has no jti')
  if (typeof iat !== 'number' || typeof nbf !== 'number' || nbf < now / 1000 - longestLife) {
    throw invalid('the signed request has no iat or nbf, or began too long ago')
  }
  const usableUntil = (Number(exp) + 60) * 1000
  return {
    ...parametersIn(claims),
    once: { kind: 'authentication-request', issuer: client.id, jti, usableUntil },
  }
}

function parametersIn(claims: Readonly<Record<string, unknown>>): Pick<ReadRequest, 'values' | 'resources'> {
  const values: Record<string, string> = {}
  let resources: readonly string[] = []
  for (const [name, value] of Object.entries(claims)) {
    if (registeredClaims.has(name)) continue
    if (name === 'resource' && Array.isArray(value) && value.every((each) => typeof each === 'string'))
      resources = value
    else if (typeof value === 'string') values[name] = value
    // `requested_expiry` may be a number (section 7.1.1).
    else if (typeof value === 'number') values[name] = String(value)
    else throw invalid(`${name} of the signed request is no text`)
  }
  return { values, resources: values['resource'] === undefined ? resources : [values['resource']] }
}

function invalid(description: string): Problem {
  return problem('invalid_request', { description })
}
