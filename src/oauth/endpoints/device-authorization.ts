/**
 * The device authorization endpoint: RFC 8628 sections 3.1 and 3.2, authentication-api 2.15. A device without a browser asks
 * for a code to show and one to poll with. PKCE is no part of the RFC; clients that send a challenge are held to it (row Q07).
 *
 * Never: a code in a log, an event or in storage as it is.
 */
import { z } from 'zod'
import type { FormParameters } from '../../contract/form.ts'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../../contract/operation.ts'
import { eventOrigin } from '../../contract/event-origin.ts'
import { uuid } from '../../contract/validation.ts'
import {
  newPolledCode,
  newUserCode,
  type PolledRequest,
  storePolledGrant,
  writeUserCode,
} from '../../directory/polled-grants.ts'
import type { Application } from '../../environment/application.ts'
import { problem } from '../../errors/problem.ts'
import { eventRow } from '../../events/record.ts'
import { UniquenessViolation } from '../../storage/refusals.ts'
import { authenticateClient } from '../client-auth/authenticate.ts'
import { clientErrors, clientParameters, readCredentials } from '../client-auth/credentials.ts'
import { defineMetadata } from '../metadata.ts'
import { withValues } from '../parameters.ts'
import { type PolledTerms, termsOf } from '../polling/terms.ts'
import { readChallenge } from '../rules/pkce.ts'

export const deviceAuthorizationMetadata = defineMetadata(
  { device_authorization_endpoint: z.string() },
  (_environment, site) => ({ device_authorization_endpoint: `${site.issuer}/device_authorization` }),
)

/** How often a new user code is made where a living one is the same. */
const attempts = 3

async function authorizeDevice(body: FormParameters, context: Context): Promise<Reply> {
  const { kernel, environment, site } = context
  const { values, repeated, resources } = withValues(body)
  if (repeated.length > 0) throw problem('invalid_request', { description: `${repeated[0]} is repeated` })
  const credentials = readCredentials(context.headers, values)
  const client = await authenticateClient(context, environment, credentials)
  if (!client.document.grantTypes.includes('DEVICE_CODE')) {
    throw problem('unauthorized_client', { description: 'the application does not have this grant type' })
  }
  const { terms, shown } = termsOf(context, client, { values, resources })
  const challenge = challengeOf(client, values)
  const { code, userCode } = await store(context, client, {
    ...shown,
    terms: { ...terms, challenge } satisfies PolledTerms,
  })
  const event = { action: 'DEVICE_AUTHORIZATION.STARTED', clientId: client.id } as const
  kernel.volumeEvents.add(eventRow(eventOrigin(context, environment.id), event))
  const { devicePathId, deviceCustomVerificationUri, deviceTimeout, devicePollingInterval } = client.document
  const page = deviceCustomVerificationUri ?? `${site.authBase}/device/${devicePathId ?? client.id}`
  const readable = writeUserCode(userCode)
  return {
    status: 200,
    body: {
      device_code: code,
      user_code: readable,
      verification_uri: page,
      verification_uri_complete: `${page}${page.includes('?') ? '&' : '?'}user_code=${readable}`,
      expires_in: deviceTimeout,
      interval: devicePollingInterval,
    },
  }
}

function challengeOf(client: Application, values: Readonly<Record<string, string>>): PolledTerms['challenge'] {
  const { code_challenge: challenge, code_challenge_method: method } = values
  // Whoever sends none is a client of the RFC, which knows none.
  const enforcement = challenge === undefined ? 'OPTIONAL' : client.document.pkceEnforcement
  const read = readChallenge(enforcement, challenge, method)
  if ('refused' in read) throw problem('invalid_request', { description: read.refused })
  return read.challenge
}

type Asked = Pick<PolledRequest, 'scopeIds' | 'details' | 'terms'>

async function store(context: Context, client: Application, asked: Asked) {
  const { kernel, environment, remoteAddress, now } = context
  const { deviceTimeout, devicePollingInterval } = client.document
  for (let attempt = 1; ; attempt++) {
    const [code, userCode] = [newPolledCode(kernel.world), newUserCode(kernel.world)]
    const grant = {
      id: kernel.world.uuid(),
      kind: 'device_code',
      clientId: client.id,
      code,
      userCode,
      userId: null,
      request: { ...asked, bindingMessage: null, acrValues: [], remoteAddress },
      intervalSeconds: devicePollingInterval,
      lifeSeconds: deviceTimeout,
    } as const
    try {
      await kernel.storage.commit({
        name: 'store-device-code',
        single: true,
        run: () => storePolledGrant(environment, grant, now),
      })
      return { code, userCode }
    } catch (error) {
      if (!(error instanceof UniquenessViolation) || attempt === attempts) throw error
    }
  }
}

const deviceRequest = z.object({
  ...clientParameters,
  scope: z.string().optional(),
  code_challenge: z.string().optional(),
  code_challenge_method: z.enum(['S256', 'plain']).optional(),
  authorization_details: z.string().optional().describe('What is asked for in detail, as JSON (RFC 9396).'),
  resource: z.string().optional().describe('A resource server the tokens are meant for; may be repeated (RFC 8707).'),
})

/** RFC 8628 section 3.2. */
const deviceAnswer = z.object({
  device_code: z.string(),
  user_code: z.string(),
  verification_uri: z.string(),
  verification_uri_complete: z.string(),
  expires_in: z.number().int(),
  interval: z.number().int(),
})

export const deviceAuthorizationOperations: readonly Operation[] = [
  defineOperation({
    id: 'deviceAuthorization',
    method: 'POST',
    path: '/{environmentId}/as/device_authorization',
    surface: 'oauth',
    tag: 'OAuth 2 and OpenID Connect',
    summary: 'Begin to sign a user on to a device that has no browser',
    source: 'authentication-api 2.15; RFC 8628 section 3.1',
    permission: { kind: 'public' },
    cors: 'any',
    params: z.object({ environmentId: uuid }),
    body: formBody(deviceRequest),
    replies: { 200: deviceAnswer },
    errors: [
      'invalid_request',
      ...clientErrors,
      'invalid_scope',
      'invalid_target',
      'invalid_authorization_details',
      'unauthorized_client',
    ],
    handle: ({ body }, context) => authorizeDevice(body, context),
  }),
]
