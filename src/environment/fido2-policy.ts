/**
 * FIDO2 policies: which credentials an environment lets people register, and what it asks of them. platform-api 3.14.4.
 *
 * Never: an attestation that is demanded and not judged; such a policy is refused, not ignored.
 */
import { z } from 'zod'
import { authoritiesProblem } from '../keys/client-certificate.ts'
import { unavailable } from '../flow/actions/unavailable.ts'
import type { Detail } from '../flow/refusal.ts'

const attributes = z.array(
  z.object({ name: z.string().max(100), subAttributes: z.array(z.object({ name: z.string().max(100) })).optional() }),
)

export const fido2PolicySchema = z.object({
  description: z.string().max(1024).optional(),
  attestationRequirements: z
    .enum(['DIRECT', 'NONE'])
    .describe('DIRECT: a certificate that is trusted has to say which authenticator it is.'),
  attestationRoots: z
    .string()
    .max(65_536)
    .optional()
    .describe('Extension: authorities of authenticators that are trusted, as PEM, beside those of the server.'),
  authenticatorAttachment: z.enum(['PLATFORM', 'CROSS_PLATFORM', 'BOTH']),
  backupEligibility: z.object({ allow: z.boolean(), enforceDuringAuthentication: z.boolean() }),
  deviceDisplayName: z.string().min(1).max(100),
  discoverableCredentials: z.enum(['DISCOURAGED', 'REQUIRED', 'PREFERRED']),
  mdsAuthenticatorsRequirements: z.object({
    allowedAuthenticators: z
      .array(z.object({ id: z.uuid() }))
      .max(500)
      .optional()
      .describe('AAGUIDs.'),
    enforceDuringAuthentication: z.boolean(),
    option: z.enum(['NONE', 'AUDIT_ONLY', 'GLOBAL', 'CERTIFIED', 'SPECIFIC']),
  }),
  publicKeyCredentialHints: z
    .array(z.enum(['SECURITY_KEY', 'CLIENT_DEVICE', 'HYBRID']))
    .min(1)
    .max(3)
    .optional(),
  /** Of a body; what holds follows from the server's own address. */
  relyingPartyId: z.string().max(253).optional(),
  userDisplayNameAttributes: z.object({ attributes: attributes.min(1).max(10) }),
  userPresenceTimeout: z
    .object({ duration: z.int().min(1).max(600), timeUnit: z.enum(['MINUTES', 'SECONDS']) })
    .optional(),
  userVerification: z.object({
    enforceDuringAuthentication: z.boolean(),
    option: z.enum(['REQUIRED', 'DISCOURAGED', 'PREFERRED']),
  }),
})

export type Fido2Policy = Readonly<z.output<typeof fido2PolicySchema>>

/** A policy with its identity. */
export interface StoredFido2Policy {
  readonly id: string
  readonly isDefault: boolean
  readonly policy: Fido2Policy
}

/**
 * What of a policy this version cannot keep.
 * @param relyingPartyId the host name credentials are made for; it follows from the server's own address
 */
export function fido2PolicyProblems(policy: Fido2Policy, relyingPartyId: string): readonly Detail[] {
  return [...authenticatorProblems(policy), ...wrongRelyingParty(policy.relyingPartyId, relyingPartyId)]
}

/** The lists of the FIDO Alliance are not here: what names no authenticator itself cannot be kept. */
function authenticatorProblems(policy: Fido2Policy): readonly Detail[] {
  const { attestationRequirements, attestationRoots, mdsAuthenticatorsRequirements } = policy
  const { option, allowedAuthenticators = [] } = mdsAuthenticatorsRequirements
  const target = 'mdsAuthenticatorsRequirements'
  const invalid = (at: string, message: string | undefined): readonly Detail[] =>
    message === undefined ? [] : [{ code: 'INVALID_VALUE', target: at, message }]
  const isAsked = option === 'AUDIT_ONLY' || option === 'SPECIFIC'
  const isUnasked = isAsked && attestationRequirements === 'NONE'
  const isEmpty = option === 'SPECIFIC' && allowedAuthenticators.length === 0
  return [
    ...unavailable(option === 'GLOBAL' || option === 'CERTIFIED', `${target}.option`),
    ...invalid(`${target}.option`, isUnasked ? 'needs attestationRequirements DIRECT' : undefined),
    ...invalid(`${target}.allowedAuthenticators`, isEmpty ? 'must not be empty with SPECIFIC' : undefined),
    ...invalid('attestationRoots', attestationRoots === undefined ? undefined : authoritiesProblem(attestationRoots)),
  ]
}

function wrongRelyingParty(given: string | undefined, id: string): readonly Detail[] {
  const target = 'relyingPartyId'
  if (given === undefined) return [{ code: 'REQUIRED_VALUE', target, message: 'must not be null' }]
  const message = `must be ${id}, the host name of the sign-on pages`
  return given === id ? [] : [{ code: 'INVALID_VALUE', target, message }]
}

type CommonMember =
  | 'attestationRequirements'
  | 'mdsAuthenticatorsRequirements'
  | 'userDisplayNameAttributes'
  | 'userPresenceTimeout'

/** The policies that every environment begins with (platform-api 2); `Passkeys` is the default. */
export function bootstrapFido2Policies(): readonly (Fido2Policy & { readonly name: string })[] {
  const common: Pick<Fido2Policy, CommonMember> = {
    attestationRequirements: 'NONE',
    mdsAuthenticatorsRequirements: { enforceDuringAuthentication: false, option: 'NONE' },
    userDisplayNameAttributes: { attributes: [{ name: 'username' }] },
    userPresenceTimeout: { duration: 2, timeUnit: 'MINUTES' },
  }
  return [
    {
      ...common,
      name: 'Passkeys',
      authenticatorAttachment: 'BOTH',
      backupEligibility: { allow: true, enforceDuringAuthentication: true },
      deviceDisplayName: 'Passkey',
      discoverableCredentials: 'REQUIRED',
      userVerification: { enforceDuringAuthentication: true, option: 'REQUIRED' },
    },
    {
      ...common,
      name: 'Security Keys',
      authenticatorAttachment: 'CROSS_PLATFORM',
      backupEligibility: { allow: false, enforceDuringAuthentication: true },
      deviceDisplayName: 'Security key',
      discoverableCredentials: 'DISCOURAGED',
      userVerification: { enforceDuringAuthentication: true, option: 'PREFERRED' },
    },
  ]
}

/**
 * The policy that applies to FIDO2 devices under a device authentication policy: the one it names, else the
 * environment's default. An environment that has none is older than they are, and has what new ones begin with.
 */
export function fido2PolicyOf(
  policies: ReadonlyMap<string, StoredFido2Policy>,
  policyId: string | undefined,
): Fido2Policy {
  const named = policyId === undefined ? undefined : policies.get(policyId)
  const chosen = named ?? [...policies.values()].find(({ isDefault }) => isDefault)
  const [passkeys] = bootstrapFido2Policies()
  const policy = chosen?.policy ?? passkeys
  if (!policy) throw new Error('no FIDO2 policy')
  return policy
}
