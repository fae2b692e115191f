/**
 * The registration endpoint: RFC 7591 section 3, OpenID Connect Dynamic Client Registration 1.0 section 3. What comes of it
 * is an ordinary application that is marked, and that its users are asked about. Rows H01-H05, H07, H08, H10.
 *
 * Never: an id, a secret or a token that the client has chosen (row H02); anything before the environment says so.
 */
import { z } from 'zod'
import { type Context, defineOperation, type Operation, type Reply } from '../../contract/operation.ts'
import { eventOrigin } from '../../contract/event-origin.ts'
import { uuid } from '../../contract/validation.ts'
import { prepareKeysOf } from '../../environment/application-keys.ts'
import { hasSecret, newSecret } from '../../environment/client-secret.ts'
import { Problem } from '../../errors/problem.ts'
import { eventRow } from '../../events/record.ts'
import { countRegistration } from '../../limits/addresses.ts'
import { UniquenessViolation } from '../../storage/refusals.ts'
import { defineMetadata } from '../metadata.ts'
import { clientMetadataRequest, metadataProblem } from './client-metadata.ts'
import { clientInformation, judgedClient, registrationAnswer } from './client-information.ts'
import { consumeInitialAccessToken, hashToken, initialAccessToken, requireRegistration } from './registration-tokens.ts'
import { insertClient } from './write-client.ts'

export const registrationMetadata = defineMetadata(
  { registration_endpoint: z.string().optional() },
  ({ clientRegistrationPolicy: { mode } }, site) => ({
    registration_endpoint: mode === 'OFF' ? undefined : `${site.issuer}/register`,
  }),
)

async function register(said: unknown, context: Context): Promise<Reply> {
  const { kernel, environment, now } = context
  requireRegistration(context)
  const letIn = await initialAccessToken(context)
  await countRegistration(context, environment.clientRegistrationPolicy.perNetworkAddress)
  const client = await judgedClient(context, said)
  const id = kernel.world.uuid()
  const token = kernel.world.bytes(32).toString('base64url')
  const secret = hasSecret(client.document) ? newSecret(kernel.world) : undefined
  const writeKeys = await prepareKeysOf(context, id, client.document)
  await kernel.environments
    .configure(environment.id, 'register-client', now, function* (changes) {
      changes.push({ kind: 'application', id })
      const by = letIn === undefined ? {} : { initialAccessTokenId: yield* consumeInitialAccessToken(context, letIn) }
      yield* insertClient(context, { id, client, secret, registeredBy: { tokenHash: hashToken(token) } })
      yield* writeKeys(changes)
      yield context.record({
        subject: { type: 'APPLICATION', id },
        clientId: id,
        detail: { dynamicallyRegistered: true, ...by },
      })
    })
    .catch((error: unknown) => {
      const isName = error instanceof UniquenessViolation && error.table === 'applications'
      throw isName ? metadataProblem(['client_name'], 'is taken') : error
    })
  return { status: 201, body: clientInformation(context, { id, createdAt: now, client, token, secret }) }
}

/** Tells the audit log of a registration that came to nothing, and why. */
async function audited(context: Context, registering: Promise<Reply>): Promise<Reply> {
  try {
    return await registering
  } catch (error) {
    if (error instanceof Problem && error.key !== 'NOT_FOUND') {
      const event = { action: 'CLIENT_REGISTRATION.REFUSED', result: 'FAILED', detail: { reason: error.key } } as const
      context.kernel.volumeEvents.add(eventRow(eventOrigin(context, context.environment.id), event))
    }
    throw error
  }
}

export const registerOperations: readonly Operation[] = [
  defineOperation({
    id: 'registerClient',
    method: 'POST',
    path: '/{environmentId}/as/register',
    surface: 'oauth',
    tag: 'Client registration',
    summary: 'Register a client',
    source: 'RFC 7591 section 3; OpenID Connect Dynamic Client Registration 1.0 section 3',
    extension: true,
    permission: { kind: 'public' },
    cors: 'any',
    params: z.object({ environmentId: uuid }),
    body: { kind: 'json', schema: clientMetadataRequest, judgedBy: 'handler' },
    replies: { 201: registrationAnswer },
    errors: [
      'NOT_FOUND',
      'INVALID_TOKEN',
      'INVALID_REQUEST',
      'LIMITED',
      'invalid_redirect_uri',
      'invalid_client_metadata',
      'invalid_software_statement',
      'unapproved_software_statement',
    ],
    event: 'APPLICATION.CREATED',
    handle: ({ body }, context) => audited(context, register(body, context)),
  }),
]
