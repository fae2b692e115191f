/**
 * Where an authorization request is: in the parameters of the browser, in a request object beside them, at an address that
 * the application has registered, or with us, where the client has pushed it. RFC 9101 section 5, RFC 9126 section 4;
 * rows C10, C12, C19, C20.
 *
 * Never: an address asked that is not registered for the application; a parameter of the browser beside pushed ones.
 */
import type { OneTimeJwt } from '../../access/used-jwt.ts'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import { requestUriWithoutHash } from '../../environment/request-uri.ts'
import { problem } from '../../errors/problem.ts'
import type { RequestParameters } from '../parameters.ts'
import { isReference, type PushedRequest, readPushed } from './pushed.ts'
import { readRequestObject } from './request-object.ts'
import { readVouchedUser } from './vouched-user.ts'

/** A request, wherever it was. */
export interface GivenRequest {
  readonly parameters: RequestParameters
  /** The pushed request that the parameters are of. */
  readonly pushed?: PushedRequest
  /** What counts once, to be used up in the unit of what the request brings about. */
  readonly proofs: readonly OneTimeJwt[]
}

/**
 * Finds the request that a browser comes with.
 * @throws Problem when there is none that can be read
 */
export async function givenRequest(
  context: Context,
  client: Application,
  asked: RequestParameters,
): Promise<GivenRequest> {
  const given = await found(context, client, asked)
  // What was pushed was read when it was pushed.
  if (given.pushed) return given
  const { parameters, proofs } = await readVouchedUser(context, client, given.parameters)
  return { parameters, proofs: [...given.proofs, ...proofs] }
}

async function found(context: Context, client: Application, asked: RequestParameters): Promise<GivenRequest> {
  const { request, request_uri: requestUri } = asked.values
  const twice = ['request', 'request_uri'].find((name) => asked.repeated.includes(name))
  if (twice !== undefined) throw problem('invalid_request', { description: `${twice} is repeated` })
  if (request !== undefined && requestUri !== undefined) {
    throw problem('invalid_request', { description: 'request and request_uri do not go together' })
  }
  if (request !== undefined) return readRequestObject(context, client, asked, request)
  if (requestUri === undefined) return { parameters: asked, proofs: [] }
  if (!isReference(requestUri)) {
    return readRequestObject(context, client, asked, await fetchObject(context, client, requestUri))
  }
  const pushed = await readPushed(context, client, requestUri)
  if (!pushed) throw problem('invalid_request_uri')
  return { parameters: pushed.parameters, pushed, proofs: [] }
}

const largestObject = 64 * 1024
const longestWait = 5000

async function fetchObject({ kernel }: Context, client: Application, url: string): Promise<string> {
  const address = requestUriWithoutHash(url)
  const registered = client.document.requestUris?.map(requestUriWithoutHash) ?? []
  if (!registered.includes(address)) throw problem('request_uri_not_supported')
  const headers = { accept: 'application/oauth-authz-req+jwt, application/jwt' }
  const limits = { maximumBytes: largestObject, maximumMilliseconds: longestWait }
  const answer = await kernel.egress({ method: 'GET', url: address, headers, ...limits }).catch(() => undefined)
  if (answer?.status !== 200) throw problem('invalid_request_uri', { description: 'nothing could be read there' })
  return answer.body.toString('utf8').trim()
}
