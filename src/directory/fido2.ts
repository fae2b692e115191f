/**
 * FIDO2 credentials: whether an answer of a browser proves one. What it was asked is in fido2-options.ts. Web Authentication
 * Level 3 sections 7.1, 7.2; authentication-api 4.2 `assertion.check`; rows L22-L29, L31, L32. The cryptography is
 * `@simplewebauthn/server`, loaded on first use; what it leaves to its caller is judged here.
 *
 * Never: a relying party or an origin that the client named; a counter that went back; a credential of somebody else.
 */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { z } from 'zod'
import type { Fido2Policy } from '../environment/fido2-policy.ts'
import { decodeBase64url } from '../keys/base64url.ts'
import { type Origins, pageOrigin } from '../site.ts'
import {
  type Attestation,
  attestationOf,
  type AttestationPolicy,
  isTaken,
  objectForLibrary,
  readAttestationObject,
  webauthn,
} from './fido2-attestation.ts'

/** Whom credentials are made for. It follows from the server's own address alone. */
export interface RelyingParty {
  /** A host name. */
  readonly id: string
  /** Where its pages are. */
  readonly origin: string
}

/** A registered credential. */
export interface Fido2Credential {
  /** Base64url. */
  readonly id: string
  /** COSE, base64url. */
  readonly publicKey: string
  readonly signCount: number
  /** Whether it may be copied to other devices; that never changes. */
  readonly isBackupEligible: boolean
  /** What was known of its authenticator when it was made; undefined of one that is older than that is kept. */
  readonly attestation: Attestation | undefined
}

/** ES256, EdDSA, RS256: what is offered, and nothing else is taken (row L26). */
export const algorithms = [-7, -8, -257] as const

/** The relying party that the pages of a request are: a passkey is of the name that it was made under. */
export function relyingParty(origins: Origins): RelyingParty {
  const { hostname, origin } = new URL(pageOrigin(origins))
  return { id: hostname, origin }
}

const base64url = z.string().min(1).max(8192)
const credentialId = z.string().regex(/^[A-Za-z0-9+/_-]{1,1364}={0,2}$/)
const common = {
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  clientExtensionResults: z.looseObject({}).default({}),
}
const attestationSchema = z.object({
  ...common,
  response: z.object({ clientDataJSON: base64url, attestationObject: base64url }),
})
const assertionSchema = z.object({
  ...common,
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: z.string().max(128).nullish(),
  }),
})
const clientDataSchema = z.looseObject({
  challenge: z.string().optional(),
  crossOrigin: z.literal(false).optional(),
  topOrigin: z.undefined().optional(),
})

/** Standard base64 as PingOne's samples send it, or base64url: as base64url without padding. */
function normalized(text: string): string {
  return text
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/={1,2}$/, '')
}

function parsed<Schema extends z.ZodType>(schema: Schema, json: string): z.output<Schema> | undefined {
  try {
    const { data } = schema.safeParse(JSON.parse(json))
    return data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** What a browser says of the page that asked; undefined where that was embedded elsewhere (row L23). */
function clientDataOf(clientDataJSON: string): z.output<typeof clientDataSchema> | undefined {
  const bytes = decodeBase64url(clientDataJSON)
  return bytes && parsed(clientDataSchema, bytes.toString('utf8'))
}

/** What is expected of an answer. */
export interface Expected {
  readonly relyingParty: RelyingParty
  /** Base64url. */
  readonly challenge: string
  readonly policy: Pick<Fido2Policy, 'userVerification' | 'backupEligibility'> & AttestationPolicy
}

/** What is expected of a new credential. */
export interface ExpectedNew extends Expected {
  /** PEM: the authorities of authenticators that are trusted beside those of Apple and Google. */
  readonly roots: readonly string[]
  /** Epoch milliseconds. */
  readonly now: number
}

/**
 * Verifies the answer to `navigator.credentials.create`.
 * @param attestation JSON text, binary members in base64 or base64url
 * @returns undefined when it proves nothing
 */
export async function verifyAttestation(
  attestation: string,
  { relyingParty: { id, origin }, challenge, policy, roots, now }: ExpectedNew,
): Promise<Fido2Credential | undefined> {
  const sent = parsed(attestationSchema, attestation)
  if (!sent) return undefined
  const clientDataJSON = normalized(sent.response.clientDataJSON)
  const object = await readAttestationObject(normalized(sent.response.attestationObject))
  if (!object || !clientDataOf(clientDataJSON)) return undefined
  const attestationObject = await objectForLibrary(object, normalized(sent.response.attestationObject))
  const response: RegistrationResponseJSON = {
    id: normalized(sent.id),
    rawId: normalized(sent.rawId),
    type: sent.type,
    clientExtensionResults: {},
    response: { clientDataJSON, attestationObject },
  }
  const { verifyRegistrationResponse } = await webauthn()
  const verified = await proved(() =>
    verifyRegistrationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: id,
      requireUserVerification: policy.userVerification.option === 'REQUIRED',
      supportedAlgorithmIDs: [...algorithms],
    }),
  )
  if (!verified?.verified) return undefined
  const { credential, credentialDeviceType, aaguid } = verified.registrationInfo
  const isBackupEligible = credentialDeviceType === 'multiDevice'
  if (credential.id !== response.id || (isBackupEligible && !policy.backupEligibility.allow)) return undefined
  const { publicKey } = credential
  const attested = { aaguid, publicKey, clientDataJSON: Buffer.from(clientDataJSON, 'base64url'), roots, now }
  const shown = await proved(() => attestationOf(object, attested))
  if (!shown || !isTaken(policy, shown, true)) return undefined
  return {
    id: credential.id,
    publicKey: Buffer.from(credential.publicKey).toString('base64url'),
    signCount: credential.counter,
    isBackupEligible,
    attestation: shown,
  }
}

/**
 * What an assertion says of itself, before anything of it is proved: the credential it is by, the challenge it answers
 * and the user it names, each empty where it says nothing. Undefined when it is none.
 */
export function claimsOf(
  assertion: string,
): { readonly credentialId: string; readonly challenge: string; readonly userHandle: string } | undefined {
  const sent = parsed(assertionSchema, assertion)
  if (!sent) return undefined
  const { challenge = '' } = clientDataOf(normalized(sent.response.clientDataJSON)) ?? {}
  return { credentialId: normalized(sent.id), challenge, userHandle: normalized(sent.response.userHandle ?? '') }
}

/** How an authenticator names a user (base64url): the id that its credential was made for. */
export function userHandleOf(userId: string): string {
  return Buffer.from(userId).toString('base64url')
}

/**
 * Verifies the answer to `navigator.credentials.get` by a credential.
 * @param userId whose credential it is: an authenticator that names somebody names them
 * @returns the signature counter from now on; undefined when it proves nothing
 */
export async function verifyAssertion(
  assertion: string,
  credential: Fido2Credential,
  { relyingParty: { id, origin }, challenge, policy, userId }: Expected & { readonly userId: string },
): Promise<number | undefined> {
  const { userVerification, backupEligibility } = policy
  const sent = parsed(assertionSchema, assertion)
  if (!sent) return undefined
  const { clientDataJSON, authenticatorData, signature, userHandle } = sent.response
  const response: AuthenticationResponseJSON = {
    id: normalized(sent.id),
    rawId: normalized(sent.rawId),
    type: sent.type,
    clientExtensionResults: {},
    response: {
      clientDataJSON: normalized(clientDataJSON),
      authenticatorData: normalized(authenticatorData),
      signature: normalized(signature),
    },
  }
  if (response.id !== credential.id || !clientDataOf(response.response.clientDataJSON)) return undefined
  const { verifyAuthenticationResponse } = await webauthn()
  const verified = await proved(() =>
    verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: id,
      requireUserVerification: userVerification.option === 'REQUIRED' && userVerification.enforceDuringAuthentication,
      credential: {
        id: credential.id,
        publicKey: new Uint8Array(Buffer.from(credential.publicKey, 'base64url')),
        counter: credential.signCount,
      },
    }),
  )
  if (!verified?.verified) return undefined
  // Judged last, so that whatever is wrong takes the same time.
  if (userHandle && normalized(userHandle) !== userHandleOf(userId)) return undefined
  const isBarred = backupEligibility.enforceDuringAuthentication && !backupEligibility.allow
  if (isBarred && credential.isBackupEligible) return undefined
  if (!isTaken(policy, credential.attestation, false)) return undefined
  const { newCounter, credentialDeviceType } = verified.authenticationInfo
  return (credentialDeviceType === 'multiDevice') === credential.isBackupEligible ? newCounter : undefined
}

/** The library throws for whatever is wrong with an answer, be it malformed or a lie; neither proves anything. */
async function proved<Verified>(verify: () => Promise<Verified>): Promise<Verified | undefined> {
  try {
    return await verify()
  } catch {
    return undefined
  }
}
