/**
 * Questions, answers and effects: how the pure machine reaches the world. A question is anything whose answer the state
 * must know; an effect yields nothing and is carried out inside the unit that saves the state (architecture section 3).
 *
 * Never: a secret. The runtime keeps what it cut out of the body and uses it to answer.
 */
import type { UserFacts } from './facts.ts'
import type { Failure } from './failure.ts'
import type { Outcome } from './outcome.ts'
import type { UnsatisfiedRequirement } from './refusal.ts'

/** What the machine wants to know. */
export type Question =
  /**
   * Is the password sent right for this user? Exactly one guess is spent. With `userId` the flow's user is meant, and a
   * `username` that names anybody else (or nobody) is answered `otherUser` without trying the password.
   */
  | { readonly kind: 'checkPassword'; readonly username: string | null; readonly userId: string | null }
  /** Is the current password right (one guess), and does the new one satisfy the policy? Nothing is stored yet. */
  | { readonly kind: 'evaluateNewPassword'; readonly userId: string }

/** What the runtime found. `to` names the question. */
export type Answer =
  | {
      readonly to: 'checkPassword'
      readonly result: 'accepted'
      readonly user: UserFacts
      readonly password: 'OK' | 'MUST_CHANGE_PASSWORD' | 'PASSWORD_EXPIRED'
    }
  | { readonly to: 'checkPassword'; readonly result: 'rejected' | 'otherUser' }
  | { readonly to: 'checkPassword'; readonly result: 'lockedOut'; readonly secondsUntilUnlock: number }
  | { readonly to: 'evaluateNewPassword'; readonly result: 'accepted'; readonly user: UserFacts }
  | { readonly to: 'evaluateNewPassword'; readonly result: 'wrongCurrent' }
  | {
      readonly to: 'evaluateNewPassword'
      readonly result: 'unsatisfied'
      readonly requirements: readonly UnsatisfiedRequirement[]
    }
  | { readonly to: 'evaluateNewPassword'; readonly result: 'lockedOut'; readonly secondsUntilUnlock: number }

/** What has to happen together with saving the state. */
export type Effect =
  /** Store the new password that was evaluated in this request. */
  | { readonly kind: 'setPassword'; readonly userId: string }
  /** The flow is completed: write the session and the user's last sign-on. */
  | { readonly kind: 'signOn'; readonly outcome: Outcome }
  /** The completed flow is resumed: issue what the authorization request asked for. */
  | { readonly kind: 'issue'; readonly outcome: Outcome }
  /** The failed flow is resumed: answer the authorization request with an error. */
  | { readonly kind: 'deny'; readonly failure: Failure }
