/**
 * Every reason the machine can give, with its meaning. Reasons are required by type wherever something is decided, so
 * that the trace of a flow explains it; the keys are the machine-readable form, the texts are for people.
 *
 * Never: a reason built at run time, or one that holds a value somebody typed.
 */

/** Why a flow went from one status to the next. */
export const transitionReasons = {
  'credentials-needed': 'Nobody is known yet: username and password are asked for.',
  'password-needed': 'The user is known; the policy asks for the password.',
  'password-accepted': 'Username and password are right.',
  'password-must-change': 'The password is right and must be changed before anything else.',
  'password-expired': 'The password is right and too old.',
  'password-changed': 'The current password was proved again and a new one was accepted.',
  'identifier-needed': 'Nobody is known yet: whoever signs on is asked for their name.',
  'user-named': 'Somebody named the user; whether anybody has that name shows later.',
  'recovery-begun': 'The password was forgotten: a recovery code is waited for.',
  'password-recovered': 'The recovery code is right and a new password was accepted.',
  registered: 'The account was made; its e-mail address has to be proved.',
  'verification-needed': 'The e-mail address of the account has to be proved before anything else counts.',
  'email-verified': 'The verification code is right.',
  'external-needed': 'The policy asks for a sign-on at an identity provider.',
  'external-account-known': 'An identity provider vouches for the user, whose account there is linked.',
  'external-account-to-confirm': 'Whoever came back from an identity provider is asked whether its data is right.',
  'external-account-to-link': 'Whoever came back has to show which account is theirs.',
  'external-account-linked': 'The account was shown to be theirs and is linked to the one at the provider.',
  'external-account-made': 'An account was made for whoever an identity provider vouches for.',
  'webhook-allowed': 'The webhook lets the sign-on go on.',
  'webhook-demands': 'The webhook lets the sign-on go on once an action of another type is proved.',
  'webhook-denied': 'The webhook refuses the sign-on; the flow has failed.',
  'webhook-failed': 'The webhook did not answer as it should; the flow has failed.',
  'webhook-failed-open': 'The webhook did not answer as it should, and the policy lets that pass.',
  'webhook-without-user': 'A webhook is asked only about somebody who has proved who they are; the policy has failed.',
  'demand-not-met': 'What the webhook demands is no step that the policy could ask for; the flow has failed.',
  'provider-not-available': 'The identity provider is disabled or gone; the policy has failed.',
  'profile-needed': 'The policy asks for attributes that the user has no value of.',
  'profile-updated': 'The user was asked, and said what they wanted to.',
  'agreement-needed': 'The policy asks for consent to an agreement, and there is none that holds.',
  'agreement-in-force': 'The user has consented to what the agreement says now.',
  'agreement-accepted': 'The user has consented to the agreement.',
  'agreement-declined': 'The user did not consent to the agreement; the flow has failed.',
  'passcode-needed': 'The policy asks for a second factor: the passcode of a device is waited for.',
  'device-needed': 'The policy asks for a second factor, and the user chooses the device.',
  'passcode-accepted': 'The passcode of the device is right.',
  'assertion-needed': 'The policy asks for a second factor: the signature of a FIDO2 device is waited for.',
  'assertion-accepted': 'A FIDO2 device of the user has signed the challenge.',
  'push-needed': 'The policy asks for a second factor: the app on a device is asked, and its answer waited for.',
  'push-approved': 'The person has approved the request in the app, which signed that.',
  'push-denied': 'The person has denied the request in the app; the flow has failed.',
  'push-mismatched': 'The request was approved in the app with another number than the page shows; it is over.',
  'push-timed-out': 'The request was not answered in time; it is over.',
  'push-limited': 'The user was sent too many requests in a short time; the app is not asked.',
  'push-cancelled': 'The user chooses another device than the app that was asked.',
  'browser-remembered':
    'The user has proved a second factor in this browser before, and the policy lets that count for a while.',
  'passkey-accepted': 'A passkey of the user has signed the challenge, and has verified its user.',
  'no-device-bypassed':
    'The user has no device that the policy allows, and it lets them pass on the signed word of the application.',
  'no-usable-device': 'The user has no device that the policy allows; the policy has failed.',
  'consent-needed': 'The application gets nothing before the user has granted it.',
  'consent-given': 'The user granted what the application asks for.',
  'consent-denied': 'The user did not grant what the application asks for; the flow has failed.',
  'invitation-open': 'The user was invited: the first password of the account is waited for.',
  'invitation-accepted': 'The code of the invitation is right and a password was accepted.',
  'invitation-declined': 'The user did not accept the invitation; the flow has failed.',
  'user-code-needed': 'The sign-on is for a device: the code that it shows is asked for.',
  'user-code-accepted': 'The code is that of a device which waits.',
  'device-code-expired': 'The device waits no longer; the flow has failed.',
  'request-expired': 'The request that was to be approved is over; the flow has failed.',
  unattended: 'Nobody is there who could be asked for what the policy asks for; the flow has failed.',
  'session-reset': 'Another user wants to sign on: everything proved so far was dropped.',
  'action-entered': 'The policy asks for this action.',
  'action-failed': 'The action cannot succeed; the policy has failed.',
  'user-not-usable': 'The account was disabled, locked or deleted; the policy has failed.',
  'access-denied': 'The user is not in the groups whose members the application lets sign on; the flow has failed.',
  'policy-not-available': 'The policy was deleted or is no longer assigned.',
  'policy-not-satisfied': 'Nothing is left to ask for, yet no single user has proved what the policy needs.',
  'policy-satisfied': 'The proofs of one user satisfy the policy as it was at the start and as it is now.',
  resumed: 'The flow was turned into the answer of its authorization request.',
} as const

export type TransitionReason = keyof typeof transitionReasons

/** Why a step of the policy ran, was skipped, or was not judged yet. */
export const stepReasons = {
  'not-reached': 'An earlier step has to be done first.',
  unconditional: 'The action has no condition.',
  'condition-met': 'The condition of the action is true.',
  'condition-unknown': 'The condition could not be evaluated, which never removes a step.',
  'user-unknown': 'Nobody has proved who they are yet, so no step can be skipped.',
  'account-demands': 'The account itself has to go through this action.',
  're-authentication': 'The request demands a fresh sign-on (prompt=login or max_age).',
  demanded: 'A webhook demands the action.',
  invited: 'The user was invited.',
  requested: 'The application asks for it.',
  'satisfied-by-session': 'The session makes the condition false.',
  'condition-not-met': 'The condition of the action is false, whatever the session.',
} as const

export type StepReason = keyof typeof stepReasons

/** Why a request was refused; for audit events, never shown to the client where it would tell users apart. */
export const refusalReasons = {
  'flow-gone': 'The flow has expired or was already resumed.',
  'not-finished': 'The flow is neither completed nor failed.',
  'action-not-allowed': 'The status of the flow does not allow this action.',
  'malformed-body': 'The body is not what the media type holds.',
  'value-missing': 'A required value is missing.',
  'wrong-credentials': 'Unknown user, disabled user or wrong password: the same to the outside.',
  'locked-out': 'Too many wrong passwords; the password is locked for a while.',
  'other-user': 'The username names somebody other than the user of the flow.',
  'no-such-device': 'The user has no such device that may be used now.',
  'wrong-code': 'The code is wrong, too old, or was used before.',
  'consent-required': 'The agreement cannot be declined: there is no going on without it.',
  'wrong-assertion': 'The FIDO2 device is not one of the user, or did not sign what it was asked to.',
  'no-such-request': 'No flow waits for this request of the app any more.',
  'too-many-codes': 'Too many codes were sent to the user in a short time.',
  'not-registered': 'The account cannot be made with these attributes.',
  'wrong-current-password': 'The current password is wrong.',
  'account-not-confirmed': 'Nobody came back from an identity provider whose account could be settled.',
  'already-linked': 'The account at the provider or the user is linked to another one.',
  'password-change-first': 'The password has to be changed before it can show whose the account is.',
  'password-unsatisfied': 'The new password does not satisfy the password policy.',
} as const

export type RefusalReason = keyof typeof refusalReasons

/** The keys of a table of reasons, for schemas. */
export function keysOf<K extends string>(table: Readonly<Record<K, string>>): [K, ...K[]] {
  return Object.keys(table) as [K, ...K[]]
}
