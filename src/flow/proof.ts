/**
 * Proofs: what a flow has seen proved, by which method, by whom and when. A flow is complete if its proofs satisfy the
 * policy, so a proof is written down only after a successful check in this flow. RFC 8176 names the methods.
 *
 * Never: evidence itself (a password, a code); a proof of another user than the flow's.
 */
import { z } from 'zod'
import { deviceRequest } from './device-grant.ts'
import { deviceTypes } from './factors/device.ts'

/** What counts as authentication and what a session remembers (authentication-api 2.18, `lastSignOn.authenticators`). */
export const authenticators = ['pwd', 'mfa', 'idp'] as const

export type Authenticator = (typeof authenticators)[number]

/** Everything that can be proved; what is no authenticator is a deed that a policy asks for beside it. */
export const methods = [
  ...authenticators,
  'webhook',
  'profile',
  'agreement',
  'consent',
  'userCode',
  'remembered',
  'vouched',
] as const

/** Whether a method proves who somebody is. */
export function isAuthenticator(method: Method): method is Authenticator {
  return authenticators.some((each) => each === method)
}

/** The words of the `amr` claim (RFC 8176), in their order; what an identity provider asked for is not claimed (row M16). */
export const amrWords = ['pwd', 'otp', 'pop', 'mfa'] as const

export type AmrWord = (typeof amrWords)[number]

/** A method of proving something. */
export type Method = (typeof methods)[number]

/** One thing proved in a flow. `at` is in epoch milliseconds, `actionId` the policy action that saw it. */
export const proof = z.strictObject({
  method: z.enum(methods),
  userId: z.string(),
  at: z.int(),
  actionId: z.string(),
  /** The identity provider that vouched for them, and the type of the action that trusted it. */
  provider: z.strictObject({ id: z.string(), trustedBy: z.string() }).exactOptional(),
  /** The webhook the sign-on may go on by; `answered`: it said so itself, and did not merely fail to answer. */
  webhook: z.strictObject({ url: z.string(), answered: z.boolean() }).exactOptional(),
  /** The agreement that the user has consented to. */
  agreement: z.string().exactOptional(),
  /** The kind of device that proved it, where one did. */
  factor: z.enum(deviceTypes).exactOptional(),
  /** That device has verified its user, as a passkey does in the place of a password: two factors in one. */
  userVerified: z.literal(true).exactOptional(),
  /** What it showed: the word of `amr` for that (RFC 8176). */
  shows: z.enum(['otp', 'pop']).exactOptional(),
  /** The consent that was recorded. */
  consentId: z.string().exactOptional(),
  /** What the device asks for whose user code was entered. */
  deviceRequest: deviceRequest.exactOptional(),
})

export type Proof = Readonly<z.infer<typeof proof>>
