/**
 * An application goes with all that belongs to it (row N31): a piece of the unit that deletes it, whoever does that. Roles
 * are the caller's: the last administrator of an organization stays (`platform/last-administrator.ts`).
 *
 * Never: a token, grant, consent or invitation of an application that is gone.
 */
import { remove } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { revokeFamiliesOfClient } from '../storage/sql/applications.ts'
import { applicationSecrets, removeSecret } from './client-secret.ts'

/**
 * Removes an application and what belongs to it, and ends what was issued to it.
 * @param now epoch milliseconds
 * @returns false when there is none
 */
export function* removeApplication(environmentId: string, id: string, now: number): UnitBody<boolean> {
  if ((yield* remove('applications', { environment_id: environmentId, id })) === 0) return false
  const belonging = { environment_id: environmentId, application_id: id }
  yield* removeSecret(applicationSecrets, environmentId, id)
  yield* remove('push_credentials', belonging)
  yield* remove('application_grants', belonging)
  yield* remove('application_groups', belonging)
  yield* remove('device_paths', belonging)
  yield* remove('application_key_uses', belonging)
  yield* remove('application_attributes', belonging)
  yield* remove('sign_on_policy_assignments', belonging)
  yield* remove('oauth_consents', belonging)
  yield* remove('invitations', belonging)
  yield* remove('dynamic_clients', belonging)
  yield* remove('client_index', { client_id: id })
  yield revokeFamiliesOfClient(environmentId, id, now)
  return true
}
