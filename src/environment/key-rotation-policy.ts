/**
 * Key rotation policies and their keys, as the runtime sees them: platform-api 3.15. Every signing key belongs to a policy;
 * the environment has a default one, and one for each further algorithm that something was configured to use.
 * Which of them signs is decided in `signing-key-choice.ts`.
 */
import { type SigningAlgorithm, storedAlgorithm } from '../keys/algorithm.ts'
import type { Schedule } from '../keys/rotation.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import type { KeyRotationPolicyRow } from '../storage/sql/signing-keys.ts'

/** A key with its time. */
export interface ScheduledKey extends SigningKey, Schedule {
  readonly policyId: string
  /** End of the certificate's validity, epoch milliseconds. */
  readonly notAfter: number
}

/** A policy with its keys. */
export interface KeyRotationPolicy {
  readonly id: string
  readonly name: string
  readonly algorithm: SigningAlgorithm
  readonly isDefault: boolean
  readonly keys: readonly ScheduledKey[]
}

/** The policies of an environment by their ids, the oldest first. */
export function keyRotationPoliciesFrom(
  rows: readonly KeyRotationPolicyRow[],
  keys: readonly ScheduledKey[],
): ReadonlyMap<string, KeyRotationPolicy> {
  return new Map(
    rows.map(({ id, name, algorithm, is_default }) => [
      id,
      {
        id,
        name,
        algorithm: storedAlgorithm(algorithm),
        isDefault: is_default === 1,
        keys: keys.filter(({ policyId }) => policyId === id),
      },
    ]),
  )
}
