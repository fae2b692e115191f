/**
 * Pushed authorization requests: RFC 9126 section 2, authentication-api 2.13. The client authenticates as at the token
 * endpoint and is told at once what is wrong with its request; what is right waits for the browser, once.
 *
 * Never: a request taken that the authorization endpoint would refuse; a reference taken for a request (row C11).
 */
import { z } from 'zod'
import type { FormParameters } from '../../contract/form.ts'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { problem } from '../../errors/problem.ts'
import { auditRejectedRedirect, returnPathAllowed } from '../authorize/client.ts'
import { boundByProof } from '../authorize/dpop-key.ts'
import { authorizationParameters } from '../authorize/parameters.ts'
import { pushRequest } from '../authorize/pushed.ts'
import { readRequestObject } from '../authorize/request-object.ts'
import { checkRequest } from '../authorize/request.ts'
import { readVouchedUser } from '../authorize/vouched-user.ts'
import { auditingRefusals, proveClient } from '../client-auth/authenticate.ts'
import { clientErrors, clientParameters, readCredentials } from '../client-auth/credentials.ts'
import { defineMetadata } from '../metadata.ts'
import { withValues } from '../parameters.ts'

export const parMetadata = defineMetadata(
  { pushed_authorization_request_endpoint: z.string(), require_pushed_authorization_requests: z.boolean() },
  ({ settings }, site) => ({
    pushed_authorization_request_endpoint: `${site.issuer}/par`,
    require_pushed_authorization_requests: settings.requirePushedAuthorizationRequests,
  }),
)

async function push(context: Context, body: FormParameters): Promise<Reply> {
  const parameters = withValues(body)
  const { values, repeated } = parameters
  if (repeated.length > 0) throw problem('invalid_request', { description: `${repeated[0]} is repeated` })
  const credentials = readCredentials(context.headers, values)
  const { environment } = context
  const { client, proofs } = await proveClient(context, environment, credentials)
  if (values['request_uri'] !== undefined) {
    throw problem('invalid_request', { description: 'request_uri has no place in a pushed request' })
  }
  const { request } = values
  const read =
    request === undefined ? { parameters, proofs: [] } : await readRequestObject(context, client, parameters, request)
  const vouched = await readVouchedUser(context, client, read.parameters)
  const given = { parameters: vouched.parameters, proofs: [...read.proofs, ...vouched.proofs] }
  if (!returnPathAllowed(client, given.parameters)) {
    auditRejectedRedirect(context, client)
    throw problem('redirect_uri_rejected')
  }
  const bound = await boundByProof(context, client, given.parameters)
  checkRequest(context, client, bound.parameters)
  const requestUri = await auditingRefusals(context, environment, credentials, () =>
    pushRequest(context, client, bound.parameters, [...proofs, ...given.proofs, ...bound.proofs]),
  )
  return { status: 201, body: { request_uri: requestUri, expires_in: client.document.parTimeout } }
}

const pushedParameters = authorizationParameters.extend({
  ...clientParameters,
  request: z.string().optional().describe('A request object (RFC 9101), with the other parameters in it.'),
})

export const parOperations: readonly Operation[] = [
  defineOperation({
    id: 'pushAuthorizationRequest',
    method: 'POST',
    path: '/{environmentId}/as/par',
    surface: 'oauth',
    tag: 'OAuth 2 and OpenID Connect',
    summary: 'Push an authorization request, to be referred to by the browser',
    source: 'authentication-api 2.13; RFC 9126 section 2',
    permission: { kind: 'public' },
    cors: 'any',
    params: z.object({ environmentId: uuid }),
    body: formBody(pushedParameters),
    replies: { 201: z.object({ request_uri: z.string(), expires_in: z.number().int() }) },
    errors: [
      'invalid_request',
      ...clientErrors,
      'invalid_dpop_proof',
      'use_dpop_nonce',
      'invalid_scope',
      'invalid_target',
      'invalid_authorization_details',
      'unauthorized_client',
      'unsupported_response_type',
      'redirect_uri_rejected',
      'invalid_request_object',
      'unmet_authentication_requirements',
    ],
    handle: ({ body }, context) => push(context, body),
  }),
]
