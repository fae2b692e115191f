/**
 * The client configuration endpoint: RFC 7592, OpenID Connect Dynamic Client Registration 1.0 section 4. A client reads,
 * changes and deletes itself by its registration access token, which is another one after every change. Rows H06, H07,
 * H09.
 *
 * Never: another client reached, or a change judged by less than the policy of the day.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { type Context, defineOperation, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { type Application, applicationSecretContext } from '../../environment/application.ts'
import { prepareKeysOf } from '../../environment/application-keys.ts'
import { removeApplication } from '../../environment/application-removal.ts'
import { hasSecret, newSecret } from '../../environment/client-secret.ts'
import { invalidToken } from '../../errors/problem.ts'
import { open } from '../../keys/sealing.ts'
import { run } from '../../storage/port.ts'
import { applicationSecret } from '../../storage/sql/applications.ts'
import { replaceRegistrationToken } from '../../storage/sql/client-registration.ts'
import { clientInformation, judgedClient, registrationAnswer, saidBy } from './client-information.ts'
import { clientMetadataRequest, metadataProblem } from './client-metadata.ts'
import { hashToken, provedClient } from './registration-tokens.ts'
import { replaceClient } from './write-client.ts'

/** The secret of a client as it is; undefined where there is none. */
async function presentSecret({ kernel, environment }: Context, { id }: Application) {
  const [row] = await kernel.storage.read(applicationSecret(environment.id, id))
  if (!row) return undefined
  return open(environment.dataKey, row.sealed, applicationSecretContext(environment.id, id)).toString('utf8')
}

async function read(context: Context, clientId: string): Promise<Reply> {
  const { application: client, token } = await provedClient(context, clientId)
  const { id, createdAt } = client
  const secret = hasSecret(client.document) ? await presentSecret(context, client) : undefined
  return { status: 200, body: clientInformation(context, { id, createdAt, client, token, secret }) }
}

/** Members that a change must not hold (RFC 7592 section 2.2). */
const answeredOnly = [
  'registration_access_token',
  'registration_client_uri',
  'client_secret_expires_at',
  'client_id_issued_at',
]

/** @throws Problem invalid_client_metadata */
function requireOwn(said: Readonly<Record<string, unknown>>, clientId: string, secret: string | undefined): void {
  const [stray] = answeredOnly.filter((name) => said[name] !== undefined && said[name] !== null)
  if (stray) throw metadataProblem([stray], 'must not be sent')
  if (said['client_id'] !== clientId) throw metadataProblem(['client_id'], 'must be the id of the client')
  const named = said['client_secret'] ?? undefined
  if (named === undefined) return
  const digest = (text: string) => hash('sha256', text, 'buffer')
  if (typeof named !== 'string' || !secret || !timingSafeEqual(digest(named), digest(secret)))
    throw metadataProblem(['client_secret'], 'must be the secret that the client has')
}

async function replace(context: Context, clientId: string, body: unknown): Promise<Reply> {
  const { kernel, environment, now } = context
  const { application, token: before } = await provedClient(context, clientId)
  const { id, createdAt } = application
  const present = await presentSecret(context, application)
  requireOwn(saidBy(body), clientId, present)
  const client = await judgedClient(context, body, application.document)
  const token = kernel.world.bytes(32).toString('base64url')
  const secret = hasSecret(client.document) ? (present ?? newSecret(kernel.world)) : undefined
  const writeKeys = await prepareKeysOf(context, id, client.document)
  await kernel.environments.configure(environment.id, 'replace-registered-client', now, function* (changes) {
    changes.push({ kind: 'application', id })
    const tokens = { before: hashToken(before), after: hashToken(token) }
    const [replaced] = yield* run(replaceRegistrationToken(environment.id, id, tokens))
    if (!replaced) throw invalidToken('the token is not valid here')
    yield* replaceClient(context, id, client, secret)
    yield* writeKeys(changes)
    yield context.record({ subject: { type: 'APPLICATION', id }, clientId: id })
  })
  return { status: 200, body: clientInformation(context, { id, createdAt, client, token, secret }) }
}

async function remove(context: Context, clientId: string): Promise<Reply> {
  const { kernel, environment, now } = context
  const { id } = (await provedClient(context, clientId)).application
  await kernel.environments.configure(environment.id, 'delete-registered-client', now, function* (changes) {
    changes.push({ kind: 'application', id })
    if (!(yield* removeApplication(environment.id, id, now))) throw invalidToken('the token is not valid here')
    yield context.record({ subject: { type: 'APPLICATION', id }, clientId: id })
  })
  return { status: 204 }
}

const declaration = {
  path: '/{environmentId}/as/register/{clientId}',
  surface: 'oauth',
  tag: 'Client registration',
  source: 'RFC 7592 section 2; OpenID Connect Dynamic Client Registration 1.0 section 4',
  extension: true,
  permission: { kind: 'public' },
  cors: 'any',
  params: z.object({ environmentId: uuid, clientId: uuid }),
} as const

export const configurationOperations: readonly Operation[] = [
  defineOperation({
    ...declaration,
    id: 'readRegisteredClient',
    method: 'GET',
    summary: 'Read what a client has registered, by its registration access token',
    replies: { 200: registrationAnswer },
    errors: ['NOT_FOUND', 'INVALID_TOKEN'],
    handle: ({ params }, context) => read(context, params.clientId),
  }),
  defineOperation({
    ...declaration,
    id: 'replaceRegisteredClient',
    method: 'PUT',
    summary: 'Replace what a client has registered; the answer holds its next registration access token',
    body: { kind: 'json', schema: clientMetadataRequest, judgedBy: 'handler' },
    replies: { 200: registrationAnswer },
    errors: [
      'NOT_FOUND',
      'INVALID_TOKEN',
      'INVALID_REQUEST',
      'invalid_redirect_uri',
      'invalid_client_metadata',
      'invalid_software_statement',
      'unapproved_software_statement',
    ],
    event: 'APPLICATION.UPDATED',
    handle: ({ params, body }, context) => replace(context, params.clientId, body),
  }),
  defineOperation({
    ...declaration,
    id: 'deleteRegisteredClient',
    method: 'DELETE',
    summary: 'Delete a client, with everything that was issued to it',
    replies: { 204: null },
    errors: ['NOT_FOUND', 'INVALID_TOKEN'],
    event: 'APPLICATION.DELETED',
    handle: ({ params }, context) => remove(context, params.clientId),
  }),
]
