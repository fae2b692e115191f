/**
 * A client that registers itself, written: pieces of the units of `Environments.configure`, which are serial within an
 * environment, so that a look at what is there holds until the commit. Rows H05, H09, H10, H13.
 *
 * Never: a consent that outlives the client it was given to: whatever changes, users are asked again.
 */
import type { Context } from '../../contract/operation.ts'
import { coreMapping } from '../../environment/application-claims.ts'
import type { ClientRegistration } from '../../environment/application.ts'
import {
  applicationSecrets,
  hasSecret,
  insertSecret,
  newSecret,
  removeSecret,
} from '../../environment/client-secret.ts'
import { notFound, problem } from '../../errors/problem.ts'
import { compareAndSet, insert, insertAll, remove } from '../../storage/operations.ts'
import { run, type UnitBody } from '../../storage/port.ts'
import { applicationById, applicationSecret } from '../../storage/sql/applications.ts'
import { countDynamicClients } from '../../storage/sql/client-registration.ts'
import type { RegisteredClient } from './registered-client.ts'

const day = 86_400_000

/** When a client goes that nobody uses from now on, epoch milliseconds; a day later, since uses are noted once a day. */
export function unusedUntil({ environment, now }: Pick<Context, 'environment' | 'now'>): number {
  return now + (environment.clientRegistrationPolicy.unusedClientDays + 1) * day
}

/** A client that is new. */
export interface NewClient {
  readonly id: string
  readonly client: RegisteredClient
  /** Undefined where it has none. */
  readonly secret: string | undefined
  /** How it is reached later: by a token, whose hash this is, or by the address that is its client id. */
  readonly registeredBy: { readonly tokenHash: string } | { readonly clientUri: string }
}

/**
 * Inserts a client.
 * @throws Problem LIMITED when as many as are allowed have registered themselves; UniquenessViolation
 */
export function* insertClient(context: Context, { id, client, secret, registeredBy }: NewClient): UnitBody<void> {
  const { kernel, environment, now } = context
  const { maximumClients } = environment.clientRegistrationPolicy
  const [counted] = yield* run(countDynamicClients(environment.id))
  if ((counted?.clients ?? 0) >= maximumClients) {
    const message = 'As many clients as are allowed here have registered themselves.'
    const headers = { 'retry-after': '3600' }
    throw problem('LIMITED', { description: message, details: [{ code: 'LIMIT_EXCEEDED', message }], headers })
  }
  yield* insert('dynamic_clients', {
    environment_id: environment.id,
    application_id: id,
    client_uri: 'clientUri' in registeredBy ? registeredBy.clientUri : null,
    token_hash: 'tokenHash' in registeredBy ? registeredBy.tokenHash : null,
    used_at: now,
    expires_at: unusedUntil(context),
    created_at: now,
  })
  yield* insert('applications', {
    environment_id: environment.id,
    id,
    name: uniqueName(client.document.registration, id),
    type: client.type,
    enabled: 1,
    document: JSON.stringify(client.document),
    version: 1,
    created_at: now,
    updated_at: now,
  })
  yield* insert('application_attributes', coreMapping(environment.id, id, kernel.world.uuid(), now))
  // Whoever is known by an address is found by that, in the environment of the request alone.
  if ('tokenHash' in registeredBy) yield* insert('client_index', { client_id: id, environment_id: environment.id })
  if (secret !== undefined) yield* insertSecret(applicationSecrets, environment, id, secret, now, kernel.world)
  yield* insertGrants(context, id, client)
}

/** The names of applications differ, those that clients give themselves need not. */
function uniqueName(registration: ClientRegistration | undefined, id: string): string {
  return `${registration?.clientName ?? 'Client'} (${id.slice(-12)})`
}

function* insertGrants(
  { kernel, environment, now }: Context,
  id: string,
  { grants }: RegisteredClient,
): UnitBody<void> {
  if (grants.length === 0) return
  yield* insertAll(
    'application_grants',
    grants.map(({ resourceId, scopeIds }) => ({
      environment_id: environment.id,
      application_id: id,
      id: kernel.world.uuid(),
      resource_id: resourceId,
      scope_ids: JSON.stringify(scopeIds),
      created_at: now,
      updated_at: now,
    })),
  )
}

/**
 * Replaces what a client is, and forgets what users granted it.
 * @param secret for a client that had none and has to have one
 * @throws Problem NOT_FOUND when it is gone
 */
export function* replaceClient(
  context: Context,
  id: string,
  client: RegisteredClient,
  secret = newSecret(context.kernel.world),
): UnitBody<void> {
  const { kernel, environment, now } = context
  const [before] = yield* run(applicationById(environment.id, id))
  if (!before) throw notFound()
  yield* compareAndSet('applications', { environment_id: environment.id, id }, before.version, {
    name: uniqueName(client.document.registration, id),
    type: client.type,
    document: JSON.stringify(client.document),
    updated_at: now,
  })
  const [present] = yield* run(applicationSecret(environment.id, id))
  if (!hasSecret(client.document)) yield* removeSecret(applicationSecrets, environment.id, id)
  else if (!present) yield* insertSecret(applicationSecrets, environment, id, secret, now, kernel.world)
  const belonging = { environment_id: environment.id, application_id: id }
  yield* remove('application_grants', belonging)
  yield* insertGrants(context, id, client)
  yield* remove('oauth_consents', belonging)
}
