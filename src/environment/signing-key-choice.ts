/**
 * Which key signs a token: that of the algorithm which was configured for its kind, of the application's own key rotation
 * policy, or of the environment's default one (platform-api 3.7 `signing`, 3.15; decision D18).
 *
 * Never: a token signed by another algorithm than was configured for it.
 */
import type { SigningAlgorithm } from '../keys/algorithm.ts'
import { signingAt } from '../keys/rotation.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import type { Application } from './application.ts'
import type { KeyRotationPolicy } from './key-rotation-policy.ts'
import type { Environment } from './snapshot.ts'

/** The policy whose keys sign by an algorithm: the default one where it does, otherwise the oldest that does. */
export function policyForAlgorithm(
  {
    defaultKeyRotationPolicy,
    keyRotationPolicies,
  }: Pick<Environment, 'defaultKeyRotationPolicy' | 'keyRotationPolicies'>,
  algorithm: SigningAlgorithm,
): KeyRotationPolicy | undefined {
  if (defaultKeyRotationPolicy.algorithm === algorithm) return defaultKeyRotationPolicy
  for (const policy of keyRotationPolicies.values()) if (policy.algorithm === algorithm) return policy
  return undefined
}

/** What decides which key signs. */
export interface KeyChoice {
  /** The algorithm that was configured for this kind of token; undefined: that of the application or environment. */
  readonly algorithm?: SigningAlgorithm | undefined
  /** Whom the token is made for. */
  readonly application?: Application | undefined
}

/**
 * The key that signs a token now: of the algorithm that was configured for it, otherwise of the application's own policy,
 * otherwise of the default one.
 */
export function signingKeyFor(
  environment: Environment,
  { algorithm, application }: KeyChoice,
  now: number,
): SigningKey {
  const ownId = application?.document.signing?.keyRotationPolicy.id
  const own = ownId === undefined ? undefined : environment.keyRotationPolicies.get(ownId)
  const isFit = own && (algorithm === undefined || own.algorithm === algorithm)
  const policy = isFit
    ? own
    : algorithm === undefined
      ? environment.defaultKeyRotationPolicy
      : policyForAlgorithm(environment, algorithm)
  const key = policy && signingAt(policy.keys, now)
  if (!key) throw new Error(`no key of the environment signs by ${algorithm ?? 'its default policy'}`)
  return key
}
