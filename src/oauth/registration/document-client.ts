/**
 * Clients that nobody has registered: their client id is the https address of a document that describes them
 * (draft-ietf-oauth-client-id-metadata-document). The document is read before each use, from memory as long as it may be
 * kept, and comes to an application of its own that is marked; tokens name the address. Rows H11-H14, G09.
 *
 * Never: a shared secret; a picture; an answer that tells why a document does not count; an application that stays as it is
 * when the document, or the policy, has changed.
 */
import { hash } from 'node:crypto'
import { z } from 'zod'
import { eventOrigin } from '../../contract/event-origin.ts'
import { parseJson } from '../../contract/json.ts'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import { prepareKeysOf } from '../../environment/application-keys.ts'
import { coversHost } from '../../environment/client-registration-policy.ts'
import { Problem } from '../../errors/problem.ts'
import { eventRow } from '../../events/record.ts'
import { countRegistration } from '../../limits/addresses.ts'
import { run } from '../../storage/port.ts'
import { UniquenessViolation } from '../../storage/refusals.ts'
import { applicationById } from '../../storage/sql/applications.ts'
import { defineMetadata } from '../metadata.ts'
import { judgedClient, saidBy } from './client-information.ts'
import { clientIdUrlProblem } from './client-id-url.ts'
import { metadataProblem } from './client-metadata.ts'
import type { RegisteredClient } from './registered-client.ts'
import { insertClient, replaceClient } from './write-client.ts'

export const clientDocumentMetadata = defineMetadata(
  { client_id_metadata_document_supported: z.boolean().optional() },
  ({ clientRegistrationPolicy: { clientIdMetadataDocuments } }) => ({
    client_id_metadata_document_supported: clientIdMetadataDocuments.enabled || undefined,
  }),
)

/**
 * The application of a client by the address that is its client id.
 * @returns undefined for whatever does not count
 * @throws Problem LIMITED, UNAVAILABLE
 */
export async function documentClient(context: Context, clientUri: string): Promise<Application | undefined> {
  const { kernel, environment } = context
  if (!mayBeAsked(context, clientUri)) return undefined
  const known = await kernel.environments.client(environment.id, clientUri)
  if (known && !known.enabled) return undefined
  if (!kernel.clientDocuments.isAtHand(clientUri)) {
    await countRegistration(context, environment.clientRegistrationPolicy.perNetworkAddress)
  }
  try {
    const said = documented(clientUri, await kernel.clientDocuments.read(clientUri))
    const fingerprint = fingerprintOf(await judgedClient(context, said))
    if (known?.document.registration?.fingerprint === fingerprint) return known
    const client = marked(await judgedClient(context, said, known?.document), clientUri, fingerprint)
    await (known ? change(context, known.id, client) : create(context, client, clientUri))
    return await kernel.environments.client(environment.id, clientUri)
  } catch (error) {
    if (error instanceof Problem && (error.entry.status >= 500 || error.key === 'LIMITED')) throw error
    kernel.clientDocuments.forget(clientUri)
    audit(context, clientUri, error)
    return undefined
  }
}

function mayBeAsked({ kernel, environment }: Context, clientUri: string): boolean {
  const { enabled, allowedHosts } = environment.clientRegistrationPolicy.clientIdMetadataDocuments
  if (!enabled || clientIdUrlProblem(clientUri, kernel.origins, kernel.config.egressAllow)) return false
  return allowedHosts === undefined || coversHost(allowedHosts, new URL(clientUri).hostname)
}

/** What only a server that both know could have agreed on. */
const secrets = ['client_secret', 'client_secret_expires_at']

/** The metadata of a document. @throws Problem for one that is of another client, or holds what must not be public */
function documented(clientUri: string, document: Buffer): Readonly<Record<string, unknown>> {
  // A document stands for itself: nothing else is fetched for it but the keys of a client that signs by them.
  const { logo_uri: _, sector_identifier_uri: __, request_uris: ___, ...said } = saidBy(parseJson(document))
  if (said['client_id'] !== clientUri) throw metadataProblem(['client_id'], 'must be the address of the document')
  const [secret] = secrets.filter((name) => Object.hasOwn(said, name))
  if (secret) throw metadataProblem([secret], 'must not be there')
  const method = said['token_endpoint_auth_method'] ?? 'none'
  if (typeof method === 'string' && method.startsWith('client_secret'))
    throw metadataProblem(['token_endpoint_auth_method'], 'must not be a shared secret')
  const grantTypes = said['grant_types']
  return {
    ...said,
    token_endpoint_auth_method: method,
    // A client that anybody can be made of acts for users who have said so, and gets tokens at the token endpoint alone.
    ...(Array.isArray(grantTypes) ? { grant_types: grantTypes.filter(isOfUsers) } : {}),
    response_types: ['code'],
  }
}

const grantTypesOfUsers: readonly unknown[] = [
  'authorization_code',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
]

function isOfUsers(grantType: unknown): boolean {
  return grantTypesOfUsers.includes(grantType)
}

function fingerprintOf(client: RegisteredClient): string {
  return hash('sha256', JSON.stringify(client), 'base64url')
}

function marked(client: RegisteredClient, clientUri: string, fingerprint: string): RegisteredClient {
  const registration = { ...client.document.registration, clientUri, fingerprint }
  return { ...client, document: { ...client.document, registration } }
}

async function create(context: Context, client: RegisteredClient, clientUri: string): Promise<void> {
  const { kernel, environment, now } = context
  const id = kernel.world.uuid()
  const writeKeys = await prepareKeysOf(context, id, client.document)
  await kernel.environments
    .configure(environment.id, 'register-client-by-document', now, function* (changes) {
      changes.push({ kind: 'application', id })
      yield* insertClient(context, { id, client, secret: undefined, registeredBy: { clientUri } })
      yield* writeKeys(changes)
      const detail = { dynamicallyRegistered: true, clientUri }
      yield context.record({
        action: 'APPLICATION.CREATED',
        subject: { type: 'APPLICATION', id },
        clientId: id,
        detail,
      })
    })
    .catch((error: unknown) => {
      // Another request has come first with the same document.
      if (!(error instanceof UniquenessViolation) || error.table !== 'dynamic_clients') throw error
    })
}

async function change(context: Context, id: string, client: RegisteredClient): Promise<void> {
  const { kernel, environment, now } = context
  const writeKeys = await prepareKeysOf(context, id, client.document)
  await kernel.environments.configure(environment.id, 'change-client-by-document', now, function* (changes) {
    changes.push({ kind: 'application', id })
    const [row] = yield* run(applicationById(environment.id, id))
    const present = row && (JSON.parse(row.document) as Application['document']).registration?.fingerprint
    // Another node has come first; users may have consented to what it is now.
    if (present === client.document.registration?.fingerprint) return
    yield* replaceClient(context, id, client, undefined)
    yield* writeKeys(changes)
    yield context.record({ action: 'APPLICATION.UPDATED', subject: { type: 'APPLICATION', id }, clientId: id })
  })
}

/** Tells the audit log why a document does not count; whoever caused the fetch is not told (row G09). */
function audit(context: Context, clientUri: string, error: unknown): void {
  const { kernel, environment } = context
  const reason = error instanceof Problem ? `${error.key} ${error.description ?? ''}`.trim() : 'unreadable'
  const event = { action: 'CLIENT_REGISTRATION.REFUSED', result: 'FAILED', detail: { reason, clientUri } } as const
  kernel.volumeEvents.add(eventRow(eventOrigin(context, environment.id), event))
  kernel.log.debug({ err: error, clientUri }, 'a client document does not count')
}
