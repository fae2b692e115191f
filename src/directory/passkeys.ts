/**
 * Signing on by a passkey alone: whose it is follows from the credential (WebAuthn Level 3 sections 7.2, 14.6.2). Rows K07,
 * K14, L02, L22, L25, L27, L28.
 *
 * Whatever is wrong, the steps are the same: the credential is read, one guess at its owner and one of the address are
 * taken and committed, the owner is read, one signature is verified. The counter is its own, so that whoever guesses at
 * passwords or passcodes shuts nobody out here.
 *
 * Never: a user who was not verified by the device, whatever the policy says; a difference between a credential that nobody
 * has and a signature that is wrong.
 */
import type { Environment } from '../environment/snapshot.ts'
import { type DeviceAuthenticationPolicy, triesOf } from '../flow/factors/device-authentication-policy.ts'
import type { Kernel } from '../kernel.ts'
import { takeWithAddress } from '../limits/addresses.ts'
import { type BoundedGuess, clearGuesses, secondsUntil } from '../limits/guesses.ts'
import type { UnitBody } from '../storage/port.ts'
import { fido2CredentialById } from '../storage/sql/fido2.ts'
import { devicesOf } from './devices.ts'
import { claimsOf, type Fido2Credential, userHandleOf, verifyAssertion } from './fido2.ts'
import { credentialFrom, fido2Terms, useCredential } from './fido2-devices.ts'
import {
  expectedPasskeyChallenge,
  passkeyChallenge,
  type PasskeyChallengeFor,
  requestOptions,
} from './fido2-options.ts'
import { nobodyNamed } from './password-lockout.ts'
import { canAuthenticate, type UserWithPassword, userWithPasswordById } from './users.ts'

/**
 * The relying party and the FIDO2 policy for a passkey in the place of a password.
 * @param policy the environment's default device authentication policy
 */
function passkeyTerms(
  kernel: Pick<Kernel, 'origins'>,
  environment: Pick<Environment, 'fido2Policies'>,
  policy: DeviceAuthenticationPolicy,
) {
  const terms = fido2Terms(kernel, environment, policy)
  const userVerification = { option: 'REQUIRED', enforceDuringAuthentication: true } as const
  return { ...terms, policy: { ...terms.policy, userVerification } }
}

/** What a browser is asked for: JSON text. It says nothing of anybody (row K14). */
export function passkeyOptions(
  kernel: Pick<Kernel, 'origins'>,
  environment: Environment,
  asked: PasskeyChallengeFor,
  now: number,
): string {
  const terms = passkeyTerms(kernel, environment, environment.flowConfiguration.defaultDeviceAuthenticationPolicy)
  return requestOptions({ ...terms, challenge: passkeyChallenge(environment, asked, now), credentialIds: [] })
}

/** An assertion, and what it has to prove. */
export interface PasskeyTry extends PasskeyChallengeFor {
  /** Whether it has to be the passkey of somebody in particular; `userId` null: of nobody that there is. */
  readonly isNamed: boolean
  readonly userId: string | null
  /** The page that asked, as the client says. */
  readonly origin: string
  readonly assertion: string
  /** The counter of the network address it comes from, where that is limited. */
  readonly address: BoundedGuess | undefined
  /** Epoch milliseconds. */
  readonly now: number
}

/** What came of it. */
export type PasskeyCheck =
  /** `settle` belongs into the unit that saves the success. @throws AlreadyConsumed */
  | { readonly result: 'accepted'; readonly found: UserWithPassword; readonly settle: () => UnitBody<void> }
  | { readonly result: 'rejected' }
  | { readonly result: 'lockedOut'; readonly secondsUntilUnlock: number }
  /** Too many wrong answers came from the address; nobody’s guess was spent. */
  | { readonly result: 'addressLimited'; readonly secondsUntilUnlock: number }

/** What a signature is verified by where nobody has the credential: the base point of P-256, in COSE. */
const nobodysKey = Buffer.from(
  'a5010203262001215820' +
    '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296' +
    '225820' +
    '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
  'hex',
).toString('base64url')

/** Tries an assertion. */
export async function tryPasskey(
  kernel: Pick<Kernel, 'storage' | 'masterKeys' | 'origins'>,
  environment: Environment,
  attempt: PasskeyTry,
): Promise<PasskeyCheck> {
  const { origin, assertion, address, now } = attempt
  const { credentialId = '', challenge: said = '', userHandle = '' } = claimsOf(assertion) ?? {}

  // 1. Whose it is.
  const [row] = await kernel.storage.read(fido2CredentialById(environment.id, credentialId))

  // 2. One guess, committed.
  const policy = environment.flowConfiguration.defaultDeviceAuthenticationPolicy
  const subject = row?.user_id ?? nobodyNamed(kernel.masterKeys, credentialId)
  const guessed = { environmentId: environment.id, kind: 'passkey', subject } as const
  const taken = await takeWithAddress(kernel, { guessed, bound: triesOf(policy, 'FIDO2') }, address, now)
  if ('addressLimited' in taken) return { result: 'addressLimited', secondsUntilUnlock: taken.addressLimited }
  const { guess, fromAddress } = taken
  if (!guess.allowed) return { result: 'lockedOut', secondsUntilUnlock: secondsUntil(guess.until, now) }

  // 3. Who that is, and their device; as many reads where there is nobody.
  const ownerId = row?.user_id ?? attempt.flowId
  const found = await userWithPasswordById(kernel, environment.id, ownerId)
  const devices = await devicesOf(kernel, environment.id, ownerId, now)
  const device = devices.find(({ id, type }) => id === row?.device_id && type === 'FIDO2')

  // 4. One signature.
  const terms = passkeyTerms(kernel, environment, policy)
  const credential: Fido2Credential = row
    ? credentialFrom(row)
    : { id: credentialId, publicKey: nobodysKey, signCount: 0, isBackupEligible: false, attestation: undefined }
  const challenge = expectedPasskeyChallenge(environment, attempt, said, now)
  const signCount = await verifyAssertion(assertion, credential, { ...terms, challenge, userId: ownerId })

  const isMeant = !attempt.isNamed || ownerId === attempt.userId
  const isGood = device?.status === 'ACTIVE' && device.blockedAt === null
  const isOurs = origin === terms.relyingParty.origin && userHandle === userHandleOf(ownerId)
  if (
    !row ||
    !found ||
    signCount === undefined ||
    !isMeant ||
    !isGood ||
    !isOurs ||
    !canAuthenticate(found.user, now)
  ) {
    return { result: 'rejected' }
  }
  return {
    result: 'accepted',
    found,
    *settle() {
      if (fromAddress) yield fromAddress()
      yield* useCredential(environment.id, credential, signCount)
      yield clearGuesses(guessed)
    },
  }
}
