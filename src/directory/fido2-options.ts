/**
 * What a browser is asked for: the options of `navigator.credentials.create` and `get`, and the challenges in them. Web
 * Authentication Level 3 sections 5.4, 5.5; authentication-api 3.4, 6.1; row L22.
 *
 * Challenges are derived, so that storage holds none that could be answered: one belongs to what it was made for and to
 * the time it was made at, which is good for five minutes and is used up with what it is part of. That time is stored,
 * or, where nobody is known yet, part of the challenge itself: then each time a page is shown there is a fresh one, and
 * nothing is written for it (D3).
 *
 * Never: a credential of anybody but the flow's own user, who has proved who they are.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import type { Fido2Policy } from '../environment/fido2-policy.ts'
import type { Environment } from '../environment/snapshot.ts'
import { algorithms, type RelyingParty } from './fido2.ts'
import type { User } from './users.ts'

/** A challenge is answered within five minutes, or not at all. */
export const challengeMilliseconds = 300_000

/** What a device was asked to sign for: one flow, or one stand-alone authentication. `challengedAt`: epoch milliseconds. */
export type AssertionChallenge =
  | { readonly kind: 'assertion'; readonly flowId: string; readonly challengedAt: number }
  | { readonly kind: 'deviceAuthentication'; readonly deviceAuthenticationId: string; readonly challengedAt: number }

/** What a challenge was made for. Times are epoch milliseconds. */
export type ChallengeFor =
  | AssertionChallenge
  | ({ readonly kind: 'passkey'; readonly challengedAt: number } & PasskeyChallengeFor)
  | { readonly kind: 'attestation'; readonly userId: string; readonly deviceId: string; readonly createdAt: number }

/** A flow that waits for anybody's passkey. */
export interface PasskeyChallengeFor {
  readonly flowId: string
  /** What changes with everything that the flow accepts, so that an answer is good once. */
  readonly position: string
}

const keys = new WeakMap<KeyObject, KeyObject>()

/** The challenge, base64url. */
export function challengeFor({ id, dataKey }: Pick<Environment, 'id' | 'dataKey'>, asked: ChallengeFor): string {
  let key = keys.get(dataKey)
  if (!key) {
    key = createSecretKey(Buffer.from(hkdfSync('sha256', dataKey.export(), '', 'stile/fido2-challenge', 32)))
    keys.set(dataKey, key)
  }
  return createHmac('sha256', key)
    .update(JSON.stringify([id, asked.kind, ...purposeOf(asked)]))
    .digest('base64url')
}

function purposeOf(asked: ChallengeFor): readonly (string | number)[] {
  switch (asked.kind) {
    case 'assertion':
      return [asked.flowId, asked.challengedAt]
    case 'deviceAuthentication':
      return [asked.deviceAuthenticationId, asked.challengedAt]
    case 'passkey':
      return [asked.flowId, asked.position, asked.challengedAt]
    case 'attestation':
      return [asked.userId, asked.deviceId, asked.createdAt]
  }
}

/** Bytes of the time in the challenge of a passkey; they end with a character of base64url. */
const timeBytes = 6
const timeCharacters = 8

/**
 * The challenge for anybody's passkey, base64url: the time it was made at, then what nobody else can make of it.
 * @param challengedAt epoch milliseconds
 */
export function passkeyChallenge(
  environment: Pick<Environment, 'id' | 'dataKey'>,
  asked: PasskeyChallengeFor,
  challengedAt: number,
): string {
  const time = Buffer.alloc(timeBytes)
  time.writeUIntBE(challengedAt, 0, timeBytes)
  return time.toString('base64url') + challengeFor(environment, { kind: 'passkey', challengedAt, ...asked })
}

/**
 * The challenge that an answer has to be to, going by the time in the one it says it is to.
 * @param said as the answer says
 */
export function expectedPasskeyChallenge(
  environment: Pick<Environment, 'id' | 'dataKey'>,
  asked: PasskeyChallengeFor,
  said: string,
  now: number,
): string {
  const time = Buffer.from(said.slice(0, timeCharacters), 'base64url')
  const challengedAt = time.length === timeBytes ? time.readUIntBE(0, timeBytes) : now
  const isInTime = Math.abs(now - challengedAt) <= challengeMilliseconds
  return passkeyChallenge(environment, asked, isInTime ? challengedAt : now)
}

/** Signed bytes, as the documented sample scripts turn into a `Uint8Array` (authentication-api 3.4). */
function bytes(base64url: string): readonly number[] {
  return [...new Int8Array(Buffer.from(base64url, 'base64url'))]
}

function timeoutOf({ userPresenceTimeout }: Fido2Policy): number {
  if (!userPresenceTimeout) return 120_000
  const { duration, timeUnit } = userPresenceTimeout
  return Math.min(duration * (timeUnit === 'MINUTES' ? 60_000 : 1000), challengeMilliseconds)
}

const hints = { SECURITY_KEY: 'security-key', CLIENT_DEVICE: 'client-device', HYBRID: 'hybrid' } as const

function hintsOf({ publicKeyCredentialHints }: Fido2Policy) {
  return publicKeyCredentialHints ? { hints: publicKeyCredentialHints.map((hint) => hints[hint]) } : {}
}

function idOf(credentialId: string) {
  return { type: 'public-key', id: bytes(credentialId) }
}

/** What credentials are offered, whose the answer is, and where. */
interface Asked {
  readonly challenge: string
  readonly relyingParty: RelyingParty
  readonly policy: Fido2Policy
  /** Base64url. */
  readonly credentialIds: readonly string[]
}

/** `publicKeyCredentialRequestOptions`: JSON text. */
export function requestOptions({ challenge, relyingParty, policy, credentialIds }: Asked): string {
  return JSON.stringify({
    challenge: bytes(challenge),
    timeout: timeoutOf(policy),
    rpId: relyingParty.id,
    allowCredentials: credentialIds.map(idOf),
    userVerification: policy.userVerification.option.toLowerCase(),
    ...hintsOf(policy),
  })
}

const attachments = { PLATFORM: 'platform', CROSS_PLATFORM: 'cross-platform', BOTH: undefined } as const

/**
 * `publicKeyCredentialCreationOptions`: JSON text. `credentialIds` are those that the user has already, which are not
 * made a second time.
 */
export function creationOptions(
  { challenge, relyingParty, policy, credentialIds }: Asked,
  user: User,
  environmentName: string,
): string {
  const residentKey = policy.discoverableCredentials.toLowerCase()
  return JSON.stringify({
    rp: { id: relyingParty.id, name: environmentName },
    user: {
      id: bytes(Buffer.from(user.id).toString('base64url')),
      name: user.username,
      displayName: nameOf(user, policy),
    },
    challenge: bytes(challenge),
    pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
    timeout: timeoutOf(policy),
    excludeCredentials: credentialIds.map(idOf),
    authenticatorSelection: {
      authenticatorAttachment: attachments[policy.authenticatorAttachment],
      residentKey,
      requireResidentKey: residentKey === 'required',
      userVerification: policy.userVerification.option.toLowerCase(),
    },
    attestation: policy.attestationRequirements.toLowerCase(),
    ...hintsOf(policy),
  })
}

/** The first of the policy's attributes that the user has. */
function nameOf({ username, document }: User, { userDisplayNameAttributes: { attributes } }: Fido2Policy): string {
  const shown: Readonly<Record<string, unknown>> = { ...document, username }
  for (const { name, subAttributes } of attributes) {
    const value = shown[name]
    const parts = subAttributes
      ? subAttributes.map((part) => (value as Readonly<Record<string, unknown>> | undefined)?.[part.name])
      : [value]
    const text = parts.filter((part) => typeof part === 'string').join(' ')
    if (text) return text
  }
  return username
}
