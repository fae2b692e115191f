/**
 * Signed authentication requests: OpenID CIBA Core section 7.1.1, FAPI-CIBA section 5.2.2. All parameters of the request are
 * claims of one JWT that the client has signed with a private key. An application that demands signed request objects
 * (`requireSignedRequestObject`) has to sign here too, and so has one that keeps a FAPI profile.
 *
 * Never: a symmetric signature, a JWT without an end or used twice, or a parameter beside the JWT.
 */
import type { OneTimeJwt } from '../../access/used-jwt.ts'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import { type Problem, problem } from '../../errors/problem.ts'
import { clientParameters } from '../client-auth/credentials.ts'
import { verifyClientJwt } from '../client-keys.ts'
import type { RequestParameters } from '../parameters.ts'
import { keyAlgorithms } from '../rules/client-algorithms.ts'
import { clientJwtProblem, clockSkew } from '../rules/client-jwt-claims.ts'
import { longestSignedLife, signedRequestProblem } from '../rules/backchannel-request.ts'
import { fapiAlgorithms, keepsFapi } from '../rules/fapi.ts'
import { parametersIn } from '../rules/request-object.ts'
import { requestObjectTypes } from '../authorize/request-object.ts'
import { backchannelParameterNames } from './parameters.ts'

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
  if (request === undefined) {
    if (client.document.requireSignedRequestObject || keepsFapi(client.document))
      throw invalid('the request has to be signed')
    return { values, resources, once: undefined }
  }
  // How the client authenticates stays outside.
  const beside = Object.keys(values).find((name) => name !== 'request' && !Object.hasOwn(clientParameters, name))
  if (beside !== undefined) throw invalid(`${beside} stands beside the signed request`)
  const { claims, once } = await verified(context, client, request)
  const read = parametersIn(claims, backchannelParameterNames, true)
  if ('refused' in read) throw invalid(`the signed request: ${read.refused}`)
  return { values: read.values, resources: read.resources ?? [], once }
}

async function verified(context: Context, client: Application, request: string) {
  const { environment, site, now } = context
  const algorithms = keepsFapi(client.document) ? fapiAlgorithms : keyAlgorithms
  const verdict = await verifyClientJwt(context, environment, client, request, {
    algorithms,
    types: requestObjectTypes,
  })
  if (!verdict.ok) throw invalid('the signature of the request does not hold')
  const { claims } = verdict
  const expectations = { issuer: client.clientId, audiences: [site.issuer], longestLife: longestSignedLife, now }
  const wrong = clientJwtProblem(claims, expectations) ?? signedRequestProblem(claims, client.clientId)
  if (wrong !== undefined) throw invalid(`the signed request: ${wrong}`)
  const { jti } = claims
  if (typeof jti !== 'string' || jti === '') throw invalid('the signed request has no jti')
  // Twice the skew: once for the clock of the client, once between the nodes.
  const usableUntil = Math.ceil(Number(claims['exp']) + 2 * clockSkew) * 1000
  const once: OneTimeJwt = { kind: 'authentication-request', issuer: client.id, jti, usableUntil }
  return { claims, once }
}

function invalid(description: string): Problem {
  return problem('invalid_request', { description })
}
