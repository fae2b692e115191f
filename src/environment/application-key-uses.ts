/**
 * What an application is configured to sign by, kept as rows beside its document, so that a key rotation policy that is in
 * use is known as such (platform-api 3.15): its own policy, and the algorithms of its ID tokens, userinfo and
 * authorization responses.
 */
import { invalidData } from '../errors/problem.ts'
import { type JwsAlgorithm, type SigningAlgorithm, signingAlgorithms } from '../keys/algorithm.ts'
import { insertAll, remove } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { keyRotationPoliciesOf } from '../storage/sql/signing-keys.ts'
import { fapiAlgorithms, fapiSigningAlgorithm, isFapiAlgorithm, keepsFapi } from '../oauth/rules/fapi.ts'
import type { ApplicationDocument } from './application.ts'

/** The members that say so. */
export type Signing = Pick<
  ApplicationDocument,
  | 'signing'
  | 'idTokenSignedResponseAlg'
  | 'userinfoSignedResponseAlg'
  | 'authorizationSignedResponseAlg'
  | 'fapiProfile'
>

/** Every algorithm that an application is registered to be answered by. */
export function answerAlgorithmsOf(
  document: Omit<Signing, 'signing' | 'fapiProfile'>,
): readonly (JwsAlgorithm | undefined)[] {
  return [
    document.idTokenSignedResponseAlg,
    document.userinfoSignedResponseAlg,
    document.authorizationSignedResponseAlg,
  ]
}

/** The algorithms of the environment's own keys that an application is configured to use. */
export function signingAlgorithmsOf(document: Signing): readonly SigningAlgorithm[] {
  // Keys that a profile needs are there whatever the environment signs by, or will sign by one day.
  const named = [...answerAlgorithmsOf(document), fapiSigningAlgorithm(document)]
  return signingAlgorithms.filter((algorithm) => named.includes(algorithm))
}

/**
 * Replaces the rows of an application.
 * @throws Problem INVALID_DATA when its key rotation policy is not one of the environment, or signs by another algorithm
 * than its ID tokens are to be signed by or its FAPI profile allows; when the environment has no keys of an algorithm
 */
export function* writeKeyUses(environmentId: string, applicationId: string, document: Signing): UnitBody<void> {
  const policyId = document.signing?.keyRotationPolicy.id
  const algorithms = signingAlgorithmsOf(document)
  const application = { environment_id: environmentId, application_id: applicationId }
  yield* remove('application_key_uses', application)
  if (policyId === undefined && algorithms.length === 0) return
  const policies = yield* run(keyRotationPoliciesOf(environmentId))
  if (policyId !== undefined) {
    const policy = policies.find(({ id }) => id === policyId)
    const target = 'signing.keyRotationPolicy.id'
    if (!policy) throw invalidData('INVALID_VALUE', target, 'is not a key rotation policy of this environment')
    const own = document.idTokenSignedResponseAlg ?? policy.algorithm
    if (keepsFapi(document) && !isFapiAlgorithm(policy.algorithm))
      throw invalidData('INVALID_VALUE', target, `must sign by one of ${fapiAlgorithms.join(', ')} with a FAPI profile`)
    if (own !== policy.algorithm) throw invalidData('INVALID_VALUE', target, `must sign by ${own}`)
  }
  const keyless = algorithms.find((algorithm) => !policies.some((policy) => policy.algorithm === algorithm))
  if (keyless) throw invalidData('INVALID_VALUE', 'idTokenSignedResponseAlg', `has no keys here: ${keyless}`)
  const uses = [...(policyId === undefined ? [] : [policyId]), ...algorithms]
  yield* insertAll(
    'application_key_uses',
    uses.map((used) => ({ ...application, used })),
  )
}
