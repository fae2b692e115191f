/**
 * Keys of the algorithms that an application is configured to sign by: made when they are first configured (platform-api
 * 3.7 `signing`, 3.15).
 */
import type { Context } from '../contract/operation.ts'
import type { UnitBody } from '../storage/port.ts'
import { type Signing, signingAlgorithmsOf, writeKeyUses } from './application-key-uses.ts'
import type { ConfigurationChange } from './environments.ts'
import { prepareAlgorithms, recordPolicies } from './signing-keys.ts'

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
    yield* writeKeyUses(environment.id, applicationId, document)
  }
}
