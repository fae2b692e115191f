/** The credentials behind FIDO2 devices, in storage: read, tried, moved on. Rows L02, L22, L27-L29. */
import { fido2PolicyOf } from '../environment/fido2-policy.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { DeviceAuthenticationPolicy } from '../flow/factors/device-authentication-policy.ts'
import { triesOf } from '../flow/factors/device-authentication-policy.ts'
import type { Kernel } from '../kernel.ts'
import { clearGuesses, secondsUntil, takeGuess } from '../limits/guesses.ts'
import { insert } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { AlreadyConsumed } from '../storage/refusals.ts'
import { type Fido2CredentialRow, fido2CredentialsOf, moveSignCount } from '../storage/sql/fido2.ts'
import { claimsOf, type Fido2Credential, relyingParty, verifyAssertion } from './fido2.ts'
import { type AssertionChallenge, challengeFor } from './fido2-options.ts'
import { guessesAtDevices, type PasscodeCheck } from './passcodes.ts'

/** A credential, and the device it is. */
export interface DeviceCredential extends Fido2Credential {
  readonly deviceId: string
}

/** The credentials of a user; one read. */
export async function credentialsOf(
  { storage }: Pick<Kernel, 'storage'>,
  environmentId: string,
  userId: string,
): Promise<readonly DeviceCredential[]> {
  return (await storage.read(fido2CredentialsOf(environmentId, userId))).map(credentialFrom)
}

/** The credential of a row. */
export function credentialFrom(row: Fido2CredentialRow): DeviceCredential {
  return {
    id: row.credential_id,
    deviceId: row.device_id,
    publicKey: row.public_key,
    signCount: row.sign_count,
    isBackupEligible: row.is_backup_eligible === 1,
    attestation:
      row.format === null || row.aaguid === null
        ? undefined
        : { format: row.format, aaguid: row.aaguid, isTrusted: row.is_trusted === 1 },
  }
}

/** The FIDO2 policy and the relying party that hold under a device authentication policy. */
export function fido2Terms(
  { origins }: Pick<Kernel, 'origins'>,
  { fido2Policies }: Pick<Environment, 'fido2Policies'>,
  { fido2 }: DeviceAuthenticationPolicy,
) {
  return { relyingParty: relyingParty(origins), policy: fido2PolicyOf(fido2Policies, fido2?.fido2PolicyId) }
}

/**
 * Keeps the credential of a device that proved it; for the unit that activates the device.
 * @throws UniquenessViolation when some account of the environment has it
 */
export function* keepCredential(
  environmentId: string,
  { userId, deviceId }: { readonly userId: string; readonly deviceId: string },
  { id, publicKey, signCount, isBackupEligible, attestation }: Fido2Credential,
  now: number,
): UnitBody<void> {
  yield* insert('fido2_credentials', {
    environment_id: environmentId,
    credential_id: id,
    user_id: userId,
    device_id: deviceId,
    public_key: publicKey,
    sign_count: signCount,
    is_backup_eligible: isBackupEligible ? 1 : 0,
    created_at: now,
  })
  if (!attestation) return
  yield* insert('fido2_attestations', {
    environment_id: environmentId,
    credential_id: id,
    user_id: userId,
    device_id: deviceId,
    format: attestation.format,
    aaguid: attestation.aaguid,
    is_trusted: attestation.isTrusted ? 1 : 0,
    created_at: now,
  })
}

/** An assertion, and what it has to prove. */
export interface AssertionTry {
  readonly userId: string
  /** Those that may sign. */
  readonly deviceIds: readonly string[]
  readonly devicePolicy: DeviceAuthenticationPolicy
  readonly challenged: AssertionChallenge
  /** The page that asked, as the client says. */
  readonly origin: string
  readonly assertion: string
  readonly now: number
}

/** Tries an assertion: one guess, counted with those at passcodes. */
export async function tryAssertion(
  kernel: Pick<Kernel, 'storage' | 'origins'>,
  environment: Environment,
  attempt: AssertionTry,
): Promise<PasscodeCheck> {
  const { userId, deviceIds, devicePolicy, challenged, origin, assertion, now } = attempt
  const guessed = guessesAtDevices(environment.id, userId)
  const guess = await kernel.storage.commit(takeGuess(guessed, triesOf(devicePolicy, 'FIDO2'), now))
  if (!guess.allowed) return { result: 'lockedOut', secondsUntilUnlock: secondsUntil(guess.until, now) }
  const credentialId = claimsOf(assertion)?.credentialId
  const credential = (await credentialsOf(kernel, environment.id, userId)).find(
    ({ id, deviceId }) => id === credentialId && deviceIds.includes(deviceId),
  )
  const terms = fido2Terms(kernel, environment, devicePolicy)
  if (!credential || origin !== terms.relyingParty.origin) return { result: 'rejected' }
  const challenge = challengeFor(environment, challenged)
  const signCount = await verifyAssertion(assertion, credential, { ...terms, challenge, userId })
  if (signCount === undefined) return { result: 'rejected' }
  return {
    result: 'accepted',
    *settle() {
      yield* useCredential(environment.id, credential, signCount)
      yield clearGuesses(guessed)
    },
  }
}

/**
 * Moves the counter of a credential that has signed.
 * @param signCount from now on
 * @throws AlreadyConsumed when another signature was faster (row L27)
 */
export function* useCredential(
  environmentId: string,
  { id, signCount: before }: Fido2Credential,
  signCount: number,
): UnitBody<void> {
  const moved = yield* run(moveSignCount(environmentId, id, before, signCount))
  if (moved.length === 0) throw new AlreadyConsumed('fido2_credentials')
}
