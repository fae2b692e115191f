/**
 * Failures: why a flow ended without a sign-on (`error` of a FAILED flow, authentication-api 3.1). A refusal leaves the
 * flow where it is; a failure ends the policy and, once no other is left, the flow.
 *
 * Never: a text that tells more than the user has proved.
 */
import { z } from 'zod'
import { keysOf } from './reasons.ts'

const messages = {
  ACCOUNT_NOT_USABLE: 'The account cannot be used to sign on.',
  AGREEMENT_DECLINED: 'The user did not consent to the agreement.',
  APPLICATION_ACCESS_DENIED: 'The user has no access to the application.',
  IDENTITY_PROVIDER_NOT_AVAILABLE: 'The identity provider cannot be used to sign on.',
  WEBHOOK_DENIED: 'The sign-on was refused.',
  WEBHOOK_FAILED: 'The sign-on could not be judged.',
  NO_USABLE_DEVICES: 'The user has no device that can be used to authenticate.',
  PUSH_DENIED: 'The sign-on was denied on the device.',
  DEVICE_CODE_EXPIRED: 'The device has waited too long.',
  REQUEST_EXPIRED: 'The request is over.',
  INVITATION_DECLINED: 'The invitation was not accepted.',
  CONSENT_DENIED: 'The user did not grant what the application asks for.',
  POLICY_NOT_AVAILABLE: 'No sign-on policy of the application is available.',
  POLICY_NOT_SATISFIED: 'The sign-on policy could not be satisfied.',
} as const

export type FailureCode = keyof typeof messages

/** `error` of a FAILED flow. */
export const failureSchema = z.strictObject({
  code: z.enum(keysOf(messages)),
  message: z.string(),
  /** Extension: why, in a word of whoever decided it. */
  reason: z.string().exactOptional(),
  /** With NO_USABLE_DEVICES: the devices there are, none of which can be used (authentication-api 3.4). */
  unavailableDevices: z.array(z.strictObject({ id: z.string() })).exactOptional(),
})

export type Failure = Readonly<z.infer<typeof failureSchema>>

/** What a failure may say beside its code. */
export type FailureDetails = Omit<Failure, 'code' | 'message'>

/** The failure with this code, in its one text. */
export function failure(code: FailureCode, details: FailureDetails = {}): Failure {
  return { code, message: messages[code], ...details }
}
