/**
 * Questions, answers and effects: how the pure machine reaches the world. A question is anything whose answer the state
 * must know; an effect yields nothing and is carried out inside the unit that saves the state (architecture section 3).
 *
 * Never: a secret. The runtime keeps what it cut out of the body and uses it to answer.
 */
import type { Destination, DeviceRequest } from './device-grant.ts'
import type { UserFacts } from './facts.ts'
import type { ExternalAuthentication } from './external-authentication.ts'
import type { DeviceType } from './factors/device.ts'
import type { PendingPush } from './factors/push.ts'
import type { Failure } from './failure.ts'
import type { FlowSummary } from './flow-summary.ts'
import type { Profile } from './profile.ts'
import type { Outcome } from './outcome.ts'
import type { Detail, UnsatisfiedRequirement } from './refusal.ts'
import type { RegistrationAttributes } from './user-attributes.ts'

/** A code or password may not be tried, or a code may not be sent again, for a while. */
interface LockedOut {
  readonly result: 'lockedOut'
  readonly secondsUntilUnlock: number
}

/** An account at an identity provider. */
export interface ExternalAccount {
  readonly providerId: string
  readonly subject: string
}

/** Every question with what it asks and what the answer may be. */
export interface Questions {
  /**
   * Is the password sent right for this user? Exactly one guess is spent. With `userId` the flow's user is meant, and a
   * `username` that names anybody else (or nobody) is answered `otherUser` without trying the password.
   */
  readonly checkPassword: {
    readonly ask: { readonly username: string | null; readonly userId: string | null }
    readonly answer:
      | {
          readonly result: 'accepted'
          readonly user: UserFacts
          readonly password: 'OK' | 'MUST_CHANGE_PASSWORD' | 'PASSWORD_EXPIRED'
        }
      | { readonly result: 'rejected' | 'otherUser' }
      | LockedOut
  }
  /** Is the current password right (one guess), and does the new one satisfy the policy? Nothing is stored yet. */
  readonly evaluateNewPassword: {
    readonly ask: { readonly userId: string }
    readonly answer:
      | { readonly result: 'accepted'; readonly user: UserFacts }
      | { readonly result: 'wrongCurrent' }
      | { readonly result: 'unsatisfied'; readonly requirements: readonly UnsatisfiedRequirement[] }
      | LockedOut
  }
  /** Who has this name? `null`: nobody who may sign on. */
  readonly lookUpUser: {
    readonly ask: { readonly username: string }
    readonly answer: { readonly identifier: string; readonly user: UserFacts | null }
  }
  /**
   * Send a recovery code, with the saving of the state, to the user of this id or name. `user` is null where nobody may
   * recover a password so; the machine goes on as if somebody could (D7).
   */
  readonly sendRecoveryCode: {
    readonly ask: { readonly userId: string | null; readonly identifier: string }
    readonly answer:
      | { readonly result: 'sent'; readonly identifier: string; readonly user: UserFacts | null }
      | LockedOut
  }
  /** Is the recovery code right (one guess), and does the new password satisfy the policy? Stored with the state. */
  readonly recoverPassword: {
    readonly ask: { readonly userId: string | null; readonly identifier: string }
    readonly answer:
      | { readonly result: 'accepted'; readonly user: UserFacts }
      | { readonly result: 'wrongCode' }
      | { readonly result: 'unsatisfied'; readonly requirements: readonly UnsatisfiedRequirement[] }
      | LockedOut
  }
  /**
   * Is it the code of this invitation (one guess), and does the password satisfy the policy? Stored with the state, as the
   * first password of the account, whose e-mail address is proved by it.
   */
  readonly acceptInvitation: {
    readonly ask: { readonly userId: string; readonly invitationId: string }
    readonly answer:
      | { readonly result: 'accepted'; readonly user: UserFacts }
      | { readonly result: 'wrongCode' | 'noPassword' }
      | { readonly result: 'unsatisfied'; readonly requirements: readonly UnsatisfiedRequirement[] }
      | LockedOut
  }
  /** Make an account, with the saving of the state; a code that proves its e-mail address is sent along. */
  readonly registerUser: {
    readonly ask: {
      readonly attributes: RegistrationAttributes
      readonly populationId: string | null
      /** The account at a provider that the new one is linked to. */
      readonly link: ExternalAccount | null
    }
    readonly answer:
      | { readonly result: 'registered'; readonly user: UserFacts }
      | { readonly result: 'refused'; readonly detail: Detail }
      | { readonly result: 'unsatisfied'; readonly requirements: readonly UnsatisfiedRequirement[] }
  }
  /** Send a code that proves the user's e-mail address, with the saving of the state. */
  readonly sendVerificationCode: {
    readonly ask: { readonly userId: string }
    readonly answer: { readonly result: 'sent' } | LockedOut
  }
  /** Is the verification code right (one guess)? The address counts as proved with the saving of the state. */
  readonly verifyEmail: {
    readonly ask: { readonly userId: string }
    readonly answer:
      | { readonly result: 'accepted'; readonly user: UserFacts }
      | { readonly result: 'wrongCode' }
      | LockedOut
  }
  /**
   * Whose account is it? `linkable`: the provider is the authority for an address that it and we have verified (row M08).
   * `matched`: somebody has its name or address, which proves nothing. The attributes of a linked user are brought up to
   * date with the saving of the state.
   */
  readonly findExternalAccount: {
    readonly ask: { readonly authentication: ExternalAuthentication; readonly checksLockout: boolean }
    readonly answer:
      | { readonly result: 'linked'; readonly user: UserFacts }
      | { readonly result: 'linkable'; readonly userId: string }
      | { readonly result: 'matched' | 'unknown' }
      | LockedOut
  }
  /** May the sign-on go on? The endpoint is told of the flow, and never of a secret. */
  readonly callWebhook: {
    readonly ask: {
      readonly url: string
      readonly timeoutMilliseconds: number
      readonly userId: string
      readonly flow: FlowSummary
    }
    readonly answer:
      | { readonly result: 'CONTINUE' | 'ERROR' }
      | { readonly result: 'DENY'; readonly code: string | null }
      | { readonly result: 'STEP_UP'; readonly type: string }
  }
  /** Link a user to an account at a provider, with the saving of the state. */
  readonly linkAccount: {
    readonly ask: { readonly userId: string } & ExternalAccount
    readonly answer:
      | { readonly result: 'linked'; readonly user: UserFacts }
      | { readonly result: 'taken'; readonly user?: undefined }
  }
  /** Make an account for somebody a provider vouches for, linked to it, with the saving of the state. */
  readonly provisionUser: {
    readonly ask: { readonly authentication: ExternalAuthentication; readonly populationId: string | null }
    readonly answer: { readonly result: 'registered'; readonly user: UserFacts } | { readonly result: 'refused' }
  }
  /** Write what the user said of themselves, with the saving of the state. */
  readonly updateProfile: {
    readonly ask: { readonly userId: string; readonly attributes: Profile }
    readonly answer: { readonly user: UserFacts }
  }
  /** Write down what the user consented to, with the saving of the state. */
  readonly acceptAgreement: {
    readonly ask: {
      readonly userId: string
      readonly agreementId: string
      readonly languageId: string
      readonly revisionId: string
    }
    readonly answer: { readonly user: UserFacts }
  }
  /** Remember, with the saving of the state, that the user grants these scopes to the application. */
  readonly recordConsent: {
    readonly ask: { readonly userId: string; readonly applicationId: string; readonly scopeIds: readonly string[] }
    readonly answer: { readonly consentId: string }
  }
  /**
   * Which device shows this code (one guess)? The code is bound to the user with the saving of the state. `candidates`: the
   * policies that may run for its application.
   */
  readonly verifyUserCode: {
    readonly ask: {
      readonly userCode: string
      readonly userId: string
      readonly flowId: string
      /** The only application that it may be of; null: any. */
      readonly applicationId: string | null
    }
    readonly answer:
      | {
          readonly result: 'accepted'
          readonly request: DeviceRequest
          readonly candidates: Destination['candidates']
        }
      | { readonly result: 'rejected' }
      | LockedOut
  }
  /**
   * Send a passcode to a device of the user, with the saving of the state; good for this flow only. Where there is nobody,
   * or nothing to send it to, nothing is sent, and that is counted like any other (D7).
   */
  readonly sendPasscode: {
    readonly ask: {
      readonly userId: string | null
      readonly identifier: string
      readonly deviceId: string | null
      /** `null`: the environment's default device authentication policy. */
      readonly policyId: string | null
      readonly flowId: string
    }
    readonly answer: { readonly result: 'sent' } | LockedOut
  }
  /** Is the passcode of this device right (one guess)? Used up with the saving of the state. */
  readonly checkPasscode: {
    readonly ask: {
      readonly userId: string | null
      readonly identifier: string
      readonly deviceId: string | null
      readonly policyId: string | null
      readonly flowId: string
    }
    readonly answer:
      | { readonly result: 'accepted'; readonly user: UserFacts; readonly factor: DeviceType }
      | { readonly result: 'rejected' }
      | LockedOut
  }
  /** Make a push request for the app on a device, with the saving of the state; it is for this flow only. */
  readonly sendPush: {
    readonly ask: {
      readonly userId: string
      readonly deviceId: string
      readonly policyId: string | null
      readonly flowId: string
    }
    readonly answer: { readonly result: 'sent'; readonly request: PendingPush } | LockedOut
  }
  /** Did one of these FIDO2 devices sign the challenge of this flow (one guess)? Its counter moves with the state. */
  readonly checkAssertion: {
    readonly ask: {
      readonly userId: string
      readonly deviceIds: readonly string[]
      readonly policyId: string | null
      readonly flowId: string
      /** When the challenge was made, epoch milliseconds. */
      readonly challengedAt: number
      /** The page that asked the device, as the client says. */
      readonly origin: string
    }
    readonly answer:
      | { readonly result: 'accepted'; readonly user: UserFacts }
      | { readonly result: 'rejected' }
      | LockedOut
  }
  /**
   * Whose passkey has signed a challenge of this flow and verified its user (one guess)? Where somebody was named, nobody
   * else is accepted: `userId` is null where nobody has that name. Its counter moves with the state.
   */
  readonly checkPasskey: {
    readonly ask: {
      readonly isNamed: boolean
      readonly userId: string | null
      /** The page that asked the device, as the client says. */
      readonly origin: string
    }
    readonly answer:
      | { readonly result: 'accepted'; readonly user: UserFacts }
      | { readonly result: 'rejected' }
      | LockedOut
  }
}

/** The name of a question. */
export type QuestionKind = keyof Questions

/** One question by its name. */
export type QuestionOf<Kind extends QuestionKind> = { readonly kind: Kind } & Questions[Kind]['ask']

/** The answer to a question by its name. */
export type AnswerTo<Kind extends QuestionKind> = { readonly to: Kind } & Questions[Kind]['answer']

/** What the machine wants to know. */
export type Question = { [Kind in QuestionKind]: QuestionOf<Kind> }[QuestionKind]

/** What the runtime found. `to` names the question. */
export type Answer = { [Kind in QuestionKind]: AnswerTo<Kind> }[QuestionKind]

/** What has to happen together with saving the state. */
export type Effect =
  /** Store the new password that was evaluated in this request. */
  | { readonly kind: 'setPassword'; readonly userId: string }
  /** The user wants this browser to be remembered, for this many seconds. */
  | { readonly kind: 'rememberBrowser'; readonly userId: string; readonly seconds: number }
  /** The flow is completed: write the session and the user's last sign-on. */
  | { readonly kind: 'signOn'; readonly outcome: Outcome }
  /** The completed flow is resumed: issue what the authorization request asked for. */
  | { readonly kind: 'issue'; readonly outcome: Outcome }
  /** The failed flow is resumed: answer the authorization request with an error. */
  | { readonly kind: 'deny'; readonly failure: Failure }
