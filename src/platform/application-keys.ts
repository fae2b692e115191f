/**
 * What an application is configured to sign by (its key rotation policy, and algorithms of its own), kept as rows beside
 * its document, so that a policy that is in use is known as such: platform-api 3.7 `signing`, 3.15.
 */
import type { Context } from '../contract/operation.ts'
import type { ApplicationDocument } from '../environment/application.ts'
import type { ConfigurationChange } from '../environment/environments.ts'
import { prepareAlgorithms } from '../environment/signing-keys.ts'
import { invalidData } from '../errors/problem.ts'
import { type SigningAlgorithm, signingAlgorithms } from '../keys/algorithm.ts'
import { insertAll, remove } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { keyRotationPolicyById } from '../storage/sql/signing-keys.ts'
import { recordPolicies } from './key-rotation-policy-representation.ts'

type Signing = Pick<ApplicationDocument, 'signing' | 'idTokenSignedResponseAlg' | 'userinfoSignedResponseAlg'>

/**
 * Sees to it that there are keys of every algorithm that an application is configured to use.
 * @returns the part of the unit that writes what is missing, and replaces the rows of the application
 */
export async function prepareKeysOf(
  context: Context,
  applicationId: string,
  document: Signing,
): Promise<(changes: ConfigurationChange[]) => UnitBody<void>> {
  const { kernel, environment, now } = context
  const writeMissing = await prepareAlgorithms(kernel.world, environment, signingAlgorithmsOf(document), now)
  return function* (changes) {
    const made = yield* writeMissing()
    if (made.length > 0) changes.push({ kind: 'snapshot' })
    yield* recordPolicies(context, made)
    yield* writeKeyUsesOf(environment.id, applicationId, document)
  }
}

/** The algorithms of the environment's own keys that an application is configured to use. */
function signingAlgorithmsOf(document: Signing): readonly SigningAlgorithm[] {
  const named = [document.idTokenSignedResponseAlg, document.userinfoSignedResponseAlg]
  return signingAlgorithms.filter((algorithm) => named.includes(algorithm))
}

/**
 * Replaces the rows of an application.
 * @throws Problem INVALID_DATA when its key rotation policy is not one of the environment, or signs by another algorithm
 * than its ID tokens are to be signed by
 */
function* writeKeyUsesOf(environmentId: string, applicationId: string, document: Signing): UnitBody<void> {
  const policyId = document.signing?.keyRotationPolicy.id
  if (policyId !== undefined) {
    const [policy] = yield* run(keyRotationPolicyById(environmentId, policyId))
    const target = 'signing.keyRotationPolicy.id'
    if (!policy) throw invalidData('INVALID_VALUE', target, 'is not a key rotation policy of this environment')
    const own = document.idTokenSignedResponseAlg ?? policy.algorithm
    if (own !== policy.algorithm) throw invalidData('INVALID_VALUE', target, `must sign by ${own}`)
  }
  const application = { environment_id: environmentId, application_id: applicationId }
  yield* remove('application_key_uses', application)
  const uses = [...(policyId === undefined ? [] : [policyId]), ...signingAlgorithmsOf(document)]
  if (uses.length > 0)
    yield* insertAll(
      'application_key_uses',
      uses.map((used) => ({ ...application, used })),
    )
}
