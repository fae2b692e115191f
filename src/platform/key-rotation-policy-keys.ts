/**
 * What becomes of the keys of a policy, inside the unit that changes the policy: platform-api 3.15, row F12.
 *
 * Never: a policy removed that something is configured to use; a key removed that a token may name.
 */
import type { Context } from '../contract/operation.ts'
import type { SigningKeyColumns } from '../environment/signing-keys.ts'
import { notFound, problem } from '../errors/problem.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { resourcesOf } from '../storage/sql/environments.ts'
import {
  applicationUsing,
  type KeyRotationPolicyRow,
  keyRotationPoliciesOf,
  keyRotationPolicyById,
  type SigningKeyRow,
  signingKeysOf,
} from '../storage/sql/signing-keys.ts'
import { keyRotationPolicyBody, keysOfPolicy } from './key-rotation-policy-representation.ts'

/** Reads a policy with the keys of its environment. @throws Problem NOT_FOUND */
export async function existing(
  { kernel, environment }: Context,
  id: string,
): Promise<{ readonly policy: KeyRotationPolicyRow; readonly keys: readonly SigningKeyRow[] }> {
  const [[policy], keys] = await Promise.all([
    kernel.storage.read(keyRotationPolicyById(environment.id, id)),
    kernel.storage.read(signingKeysOf(environment.id)),
  ])
  if (!policy) throw notFound()
  return { policy, keys }
}

/** The same inside a unit, without the keys. */
export function* existingInUnit(environmentId: string, id: string): UnitBody<KeyRotationPolicyRow> {
  const [policy] = yield* run(keyRotationPolicyById(environmentId, id))
  if (!policy) throw notFound()
  return policy
}

/** A policy as it is now, on the wire. */
export async function answered(context: Context, id: string) {
  const { policy, keys } = await existing(context, id)
  return keyRotationPolicyBody(context, policy, keys)
}

/** Writes a new key and tells of it. */
export function* insertKey(context: Context, key: SigningKeyColumns): UnitBody<void> {
  yield* insert('signing_keys', key)
  const subject = { type: 'KEY', id: key.id }
  yield context.record({ action: 'KEY.CREATED', subject, detail: { algorithm: key.algorithm } })
}

/**
 * Refuses to remove a policy that is the default one, or that an application names, or without which nothing would sign
 * by an algorithm that an application or a resource is configured to use.
 * @throws Problem REQUEST_FAILED
 */
export function* requireUnused(environmentId: string, policy: KeyRotationPolicyRow): UnitBody<void> {
  if (policy.is_default === 1) throw constraint('The default key rotation policy cannot be deleted.')
  const { algorithm } = policy
  const policies = yield* run(keyRotationPoliciesOf(environmentId))
  const isOnly = policies.every((other) => other.id === policy.id || other.algorithm !== algorithm)
  const names = isOnly ? [policy.id, algorithm] : [policy.id]
  const [application] = yield* run(applicationUsing(environmentId, names))
  if (application) throw constraint('A key rotation policy that an application uses cannot be deleted.')
  const isOfResource = ({ document }: { readonly document: string }) =>
    (JSON.parse(document) as { signingAlgorithm?: string }).signingAlgorithm === algorithm
  if (isOnly && (yield* run(resourcesOf(environmentId))).some(isOfResource)) {
    throw constraint('A key rotation policy that a resource uses cannot be deleted.')
  }
}

function constraint(message: string): Error {
  return problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
}

/** Ends the keys of a policy: those that have signed stay until their tokens have expired, the others go. */
export function* retireKeys(environmentId: string, policyId: string, now: number): UnitBody<void> {
  for (const { row, signsFrom, retiredAt } of keysOfPolicy(yield* run(signingKeysOf(environmentId)), policyId)) {
    const key = { environment_id: environmentId, id: row.id }
    if (signsFrom > now) yield* remove('signing_keys', key)
    else if (retiredAt === null) yield* update('signing_keys', key, { retired_at: now })
  }
}
