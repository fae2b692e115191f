/**
 * Request objects: the parameters of an authorization request in a JWT of the client. RFC 9101, OpenID Connect Core
 * section 6, authentication-api 2.14; rows C15-C18 and C21. A client signs by its secret or by its registered keys.
 *
 * What an object says wins over what is beside it. An application that demands signed objects
 * (`requireSignedRequestObject`) has nothing beside them: RFC 9101 section 6.3.
 *
 * Never: an unsigned object, but where the application may send such (`supportUnsignedRequestObject`); an algorithm beside
 * the one that the application has settled on (`requestObjectSigningAlg`); an encrypted object, for which there is no key;
 * one that counts once counted twice.
 */
import { readCompactJws } from '../../keys/compact-jws.ts'
import type { OneTimeJwt } from '../../access/used-jwt.ts'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import { type Problem, problem } from '../../errors/problem.ts'
import { verifyClientJwt } from '../client-keys.ts'
import type { RequestParameters } from '../parameters.ts'
import {
  type ClientAlgorithm,
  keyAlgorithms,
  type SecretAlgorithm,
  secretAlgorithms,
} from '../rules/client-algorithms.ts'
import { clockSkew } from '../rules/client-jwt-claims.ts'
import { demandsSignedRequests, isFapiAlgorithm, keepsFapi } from '../rules/fapi.ts'
import { parametersIn, requestObjectProblem } from '../rules/request-object.ts'
import { authorizationParameterNames } from './parameters.ts'

/** Algorithms that an object may be signed with. */
export const requestObjectAlgorithms: readonly ClientAlgorithm[] = [
  ...(Object.keys(secretAlgorithms) as SecretAlgorithm[]),
  ...keyAlgorithms,
]

/** `typ` of a request object (RFC 9101 section 10.8); older clients say `JWT`, or nothing. */
export const requestObjectTypes = ['oauth-authz-req+jwt', 'jwt', undefined]

/** A request that came in an object. */
export interface ObjectRequest {
  readonly parameters: RequestParameters
  /** The object, where it counts once: to be used up in the unit of what the request brings about. */
  readonly proofs: readonly OneTimeJwt[]
}

/**
 * Reads a request object.
 * @param beside the parameters that came with it
 * @throws Problem invalid_request_object
 */
export async function readRequestObject(
  context: Context,
  client: Application,
  beside: RequestParameters,
  object: string,
): Promise<ObjectRequest> {
  const { site, now } = context
  const isProfiled = demandsSignedRequests(client.document)
  const isDemanded = client.document.requireSignedRequestObject || isProfiled
  const { claims, isSigned } = await verified(context, client, object)
  const expectations = { clientId: client.clientId, issuer: site.issuer, isSigned, isDemanded, isProfiled, now }
  const wrong = requestObjectProblem(claims, expectations)
  if (wrong !== undefined) throw refused(wrong)
  const read = parametersIn(claims, authorizationParameterNames, isSigned)
  if ('refused' in read) throw refused(read.refused)
  const { request: _, request_uri: __, ...others } = beside.values
  return {
    parameters: {
      values: { ...(isDemanded ? {} : others), ...read.values, client_id: client.id },
      repeated: beside.repeated,
      resources: read.resources ?? (isDemanded ? [] : beside.resources),
      ...(isSigned ? { signed: read.transaction } : {}),
    },
    proofs: oneTimeUse(client, claims),
  }
}

async function verified(context: Context, client: Application, object: string) {
  const { document } = client
  const { requestObjectSigningAlg: only } = document
  const takesUnsigned =
    document.supportUnsignedRequestObject && !document.requireSignedRequestObject && (only ?? 'none') === 'none'
  const unsigned = readCompactJws(object)
  if (unsigned?.header['alg'] === 'none') {
    const isAllowed = takesUnsigned && !keepsFapi(document) && object.endsWith('.')
    if (!isAllowed) throw refused('it has no signature')
    return { claims: unsigned.claims, isSigned: false }
  }
  const algorithms = requestObjectAlgorithms.filter(
    (algorithm) => (only ?? algorithm) === algorithm && (!keepsFapi(document) || isFapiAlgorithm(algorithm)),
  )
  const check = { algorithms, types: requestObjectTypes }
  const jwt = await verifyClientJwt(context, context.environment, client, object, check)
  if (!jwt.ok) throw refused(`it does not verify (${jwt.reason})`)
  return { claims: jwt.claims, isSigned: true }
}

function oneTimeUse(client: Application, { jti, exp }: Readonly<Record<string, unknown>>): readonly OneTimeJwt[] {
  if (typeof jti !== 'string' || typeof exp !== 'number') return []
  // Twice the skew: once for the clock of the client, once between the nodes.
  const usableUntil = Math.ceil(exp + 2 * clockSkew) * 1000
  return [{ kind: 'request-object', issuer: client.id, jti, usableUntil }]
}

function refused(description: string): Problem {
  return problem('invalid_request_object', { description })
}
