/** What a tried device proves: the end of `otp.check` and `assertion.check` of MULTI_FACTOR_AUTHENTICATION (authentication-api 4.2). */
import type { Decision } from '../action.ts'
import type { AnswerTo, Effect } from '../question.ts'
import { tooManyTries, wrongAssertion, wrongPasscode } from '../refusal.ts'

/** What is to be done for the user who has proved it. */
type Effects = (userId: string) => readonly Effect[]

type Decided = Extract<Decision<never, never>, { outcome: 'prove' | 'refuse' }>

/** What a passcode proves. */
export function judgePasscode(answer: AnswerTo<'checkPasscode'>, effects: Effects): Decided {
  switch (answer.result) {
    case 'rejected':
      return { outcome: 'refuse', refusal: wrongPasscode }
    case 'lockedOut':
      return { outcome: 'refuse', refusal: tooManyTries('otp', answer.secondsUntilUnlock) }
    case 'accepted':
      return {
        outcome: 'prove',
        methods: ['mfa'],
        factor: answer.factor,
        shows: 'otp',
        user: answer.user,
        effects: effects(answer.user.id),
        reason: 'passcode-accepted',
      }
  }
}

/** What the signature of a FIDO2 device proves. */
export function judgeAssertion(answer: AnswerTo<'checkAssertion'>, effects: Effects): Decided {
  switch (answer.result) {
    case 'rejected':
      return { outcome: 'refuse', refusal: wrongAssertion }
    case 'lockedOut':
      return { outcome: 'refuse', refusal: tooManyTries('assertion', answer.secondsUntilUnlock) }
    case 'accepted':
      return {
        outcome: 'prove',
        methods: ['mfa'],
        factor: 'FIDO2',
        shows: 'pop',
        user: answer.user,
        effects: effects(answer.user.id),
        reason: 'assertion-accepted',
      }
  }
}
