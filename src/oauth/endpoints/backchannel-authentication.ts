/**
 * The backchannel authentication endpoint: OpenID CIBA Core sections 7 and 13, FAPI-CIBA, authentication-api 2.16. A client
 * asks a user at their own device and polls for what comes of it. The user is reached by the outbox, after the answer.
 *
 * Never: a public client; a sign whether anybody has the name that is hinted at, or may sign on, in the answer, its time, or
 * what the client is told while it polls (docs/decisions/2026-11-26-ciba.md).
 */
import { z } from 'zod'
import type { FormParameters } from '../../contract/form.ts'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { promiseToReach } from '../../directory/backchannel-notice.ts'
import { newPolledCode, type PolledRequest, storePolledGrant } from '../../directory/polled-grants.ts'
import type { Application } from '../../environment/application.ts'
import { type Problem, problem } from '../../errors/problem.ts'
import { candidatePolicies } from '../../flow-runtime/candidates.ts'
import { UniquenessViolation } from '../../storage/refusals.ts'
import { type HintedUser, hintedUser } from '../backchannel/hinted-user.ts'
import { backchannelParameters } from '../backchannel/parameters.ts'
import { readSignedRequest } from '../backchannel/signed-request.ts'
import { authenticateClient } from '../client-auth/authenticate.ts'
import { clientErrors, clientParameters, readCredentials } from '../client-auth/credentials.ts'
import { keyAlgorithms } from '../rules/client-algorithms.ts'
import { defineMetadata } from '../metadata.ts'
import { withValues } from '../parameters.ts'
import { termsOf } from '../polling/terms.ts'
import { isBindingMessage, readRequestedExpiry } from '../rules/backchannel-request.ts'
import { keepsFapi } from '../rules/fapi.ts'
import { type OneTimeJwt, useJwt } from '../../access/used-jwt.ts'

export const backchannelMetadata = defineMetadata(
  {
    backchannel_authentication_endpoint: z.string(),
    backchannel_token_delivery_modes_supported: z.array(z.string()),
    backchannel_authentication_request_signing_alg_values_supported: z.array(z.string()),
    backchannel_user_code_parameter_supported: z.boolean(),
  },
  (_environment, site) => ({
    backchannel_authentication_endpoint: `${site.issuer}/cibaAuthorization`,
    backchannel_token_delivery_modes_supported: ['poll'],
    backchannel_authentication_request_signing_alg_values_supported: [...keyAlgorithms],
    backchannel_user_code_parameter_supported: false,
  }),
)

/** Seconds between two polls, to begin with. */
const interval = 2

type Values = Readonly<Record<string, string>>

async function askUser(body: FormParameters, context: Context): Promise<Reply> {
  const { kernel, environment } = context
  const form = withValues(body)
  if (form.repeated.length > 0) throw invalid(`${form.repeated[0]} is repeated`)
  const credentials = readCredentials(context.headers, form.values)
  const client = await authenticateClient(context, environment, credentials)
  if (!client.document.grantTypes.includes('CIBA') || client.document.tokenEndpointAuthMethod === 'NONE') {
    throw problem('unauthorized_client', { description: 'the application does not have this grant type' })
  }
  const { values, resources, once } = await readSignedRequest(context, client, form)
  const { terms, shown } = termsOf(context, client, { values, resources })
  if (!terms.scopes.includes('openid')) throw problem('invalid_scope', { description: 'the openid scope is needed' })
  const lifeSeconds = checkedLife(values)
  const request = {
    ...shown,
    bindingMessage: checkedMessage(client, values),
    acrValues: checkedPolicies(context, client, values),
    remoteAddress: context.remoteAddress,
    byCustomDomain: context.site.isCustomDomain,
    terms: { ...terms, challenge: null },
  }
  const hinted = await hintedUser(context, client, values)
  const used = [once, hinted.once].filter((jwt) => jwt !== undefined)
  const code = await store(context, client, { hinted, request, lifeSeconds, used })
  kernel.wakeOutbox()
  return { status: 200, body: { auth_req_id: code, expires_in: lifeSeconds, interval } }
}

function checkedMessage({ document }: Application, values: Values): string | null {
  const { binding_message: message, authorization_details: details } = values
  if (message === undefined) {
    // What the user would approve has to be told from what somebody else asks for (FAPI-CIBA section 5.2.2).
    if (keepsFapi(document) && details === undefined)
      throw invalid('binding_message or authorization_details is needed')
    return null
  }
  if (!isBindingMessage(message)) throw problem('invalid_binding_message')
  return message
}

function checkedLife({ requested_expiry: text, user_code: secret }: Values): number {
  // A client that sends one believes that the user is protected by it.
  if (secret !== undefined) throw invalid('user_code is not supported')
  const life = readRequestedExpiry(text)
  if (life === undefined) throw invalid('requested_expiry is not a positive number of seconds')
  return life
}

function checkedPolicies({ environment }: Context, client: Application, { acr_values: names = '' }: Values) {
  const acrValues = names.split(' ').filter((name) => name !== '')
  if (candidatePolicies(environment, client, acrValues).length === 0) {
    throw problem('access_denied', { description: 'none of acr_values names a sign-on policy of the application' })
  }
  return acrValues
}

/** What is stored of a request. */
interface Asked {
  readonly hinted: HintedUser
  readonly request: PolledRequest
  readonly lifeSeconds: number
  readonly used: readonly OneTimeJwt[]
}

/** One unit, the same whoever is meant: the grant, its event, and the promise to reach the user. */
async function store(context: Context, client: Application, { hinted, request, lifeSeconds, used }: Asked) {
  const { kernel, environment, now } = context
  const id = kernel.world.uuid()
  const code = newPolledCode(kernel.world)
  const { userId } = hinted
  const grant = {
    id,
    kind: 'ciba',
    clientId: client.id,
    code,
    userCode: null,
    userId,
    request,
    intervalSeconds: interval,
    lifeSeconds,
  } as const
  const stored = kernel.storage.commit({
    name: 'store-backchannel-request',
    *run() {
      for (const jwt of used) yield* useJwt(environment.id, jwt)
      yield* storePolledGrant(environment, grant, now)
      yield promiseToReach(kernel, environment.id, id, now)
      yield context.record({
        clientId: client.id,
        subject: { type: 'AUTHORIZATION', id },
        ...(userId === null ? {} : { userId }),
      })
    },
  })
  await stored.catch((error: unknown) => {
    throw error instanceof UniquenessViolation && error.table === 'used_jwts'
      ? invalid('the JWT was used before')
      : error
  })
  return code
}

function invalid(description: string): Problem {
  return problem('invalid_request', { description })
}

const backchannelRequest = backchannelParameters.extend({
  ...clientParameters,
  request: z.string().optional().describe('All of these as claims of a JWT that the client has signed.'),
})

export const backchannelOperations: readonly Operation[] = [
  defineOperation({
    id: 'backchannelAuthentication',
    method: 'POST',
    path: '/{environmentId}/as/cibaAuthorization',
    aliases: ['/{environmentId}/as/bc-authorize'],
    surface: 'oauth',
    tag: 'OAuth 2 and OpenID Connect',
    summary: 'Ask a user at their own device to approve a request',
    source: 'authentication-api 2.16; OpenID CIBA Core section 7',
    permission: { kind: 'public' },
    cors: 'none',
    params: z.object({ environmentId: uuid }),
    body: formBody(backchannelRequest),
    replies: { 200: z.object({ auth_req_id: z.string(), expires_in: z.number().int(), interval: z.number().int() }) },
    errors: [
      'invalid_request',
      ...clientErrors,
      'invalid_scope',
      'invalid_target',
      'invalid_authorization_details',
      'invalid_binding_message',
      'expired_login_hint_token',
      'unauthorized_client',
      'access_denied',
    ],
    event: 'BACKCHANNEL_AUTHENTICATION.STARTED',
    handle: ({ body }, context) => askUser(body, context),
  }),
]
