/**
 * Which key signs a token: that of the algorithm which was configured for its kind, of the application's own key rotation
 * policy, or of the environment's default one (platform-api 3.7 `signing`, 3.15; decision D18).
 *
 * Never: a token signed by another algorithm than was configured for it; one of the default policy for an application whose
 * FAPI profile does not allow its algorithm.
 */
import { type SigningAlgorithm, signingAlgorithms } from '../keys/algorithm.ts'
import { fapiSigningAlgorithm, isFapiAlgorithm, keepsFapi } from '../oauth/rules/fapi.ts'
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
 * otherwise of the default one, unless that is not for it.
 */
export function signingKeyFor(
  environment: Environment,
  { algorithm, application }: KeyChoice,
  now: number,
): SigningKey {
  const ownId = application?.document.signing?.keyRotationPolicy.id
  const own = ownId === undefined ? undefined : environment.keyRotationPolicies.get(ownId)
  const isFit = own && (algorithm === undefined || own.algorithm === algorithm)
  const wanted = algorithm ?? (application && demandedAlgorithm(environment, application))
  const usual = () =>
    wanted === undefined ? environment.defaultKeyRotationPolicy : policyForAlgorithm(environment, wanted)
  const policy = isFit ? own : usual()
  const key = policy && signingAt(policy.keys, now)
  if (!key) throw new Error(`no key of the environment signs by ${wanted ?? 'its default policy'}`)
  return key
}

/** The algorithm that an application needs, where the default one is not allowed by its profile. */
function demandedAlgorithm(
  { defaultKeyRotationPolicy: { algorithm } }: Environment,
  { document }: Application,
): SigningAlgorithm | undefined {
  const { idTokenSignedResponseAlg: named, fapiProfile } = document
  if (!keepsFapi(document) || isFapiAlgorithm(algorithm)) return undefined
  return fapiSigningAlgorithm({ fapiProfile, idTokenSignedResponseAlg: signingAlgorithms.find((one) => one === named) })
}
