/**
 * A refusal of the flow in the words of the sign-on page: which field it is about, and what to do (authentication-api
 * 7.3, 7.4).
 *
 * Never: more than the refusal itself tells; unknown user, disabled user and wrong password read the same (decision D6).
 */
import { type Language, say, type TextName } from './texts/language.ts'

/** The fields of the sign-on forms; each is the member of the same name in the body of the action. */
export type SignOnField = 'username' | 'password' | 'currentPassword' | 'newPassword'

/** What the page says about the last attempt. */
export interface SignOnError {
  /** Null where it is about the form as a whole. */
  readonly field: SignOnField | null
  readonly text: string
  /** Requirements of the password policy that the new password did not meet. */
  readonly missed?: readonly string[]
}

/** A detail of a refusal, as flows and problems have it. */
interface RefusalDetail {
  readonly code: string
  readonly target?: string
  readonly innerError?: Readonly<Record<string, unknown>>
}

const missing: Readonly<Record<SignOnField, TextName>> = {
  username: 'error.enterUsername',
  password: 'error.enterPassword',
  currentPassword: 'error.enterCurrentPassword',
  newPassword: 'error.enterNewPassword',
}

/**
 * Explains a refusal.
 * @param details of the INVALID_DATA answer; the first one counts
 * @param usernameKnown whether the page shows who is signing on, so that only the password can be wrong
 */
export function explainRefusal(
  details: readonly RefusalDetail[],
  usernameKnown: boolean,
  language: Language,
): SignOnError {
  const [detail] = details
  const code = detail?.code
  const field = detail?.target !== undefined && isField(detail.target) ? detail.target : null
  if (code === 'INVALID_CREDENTIALS') {
    return { field: 'password', text: say(language, usernameKnown ? 'error.wrongPassword' : 'error.wrongCredentials') }
  }
  if (code === 'PASSWORD_LOCKED_OUT') return explainLockout(detail?.innerError?.['secondsUntilUnlock'], language)
  if (code === 'REQUIRED_VALUE' && field) return { field, text: say(language, missing[field]) }
  if (code === 'INVALID_VALUE') {
    if (field === 'username') return { field, text: say(language, 'error.otherUser') }
    if (field === 'currentPassword') return { field, text: say(language, 'error.wrongCurrentPassword') }
    if (field === 'newPassword') return explainPassword(detail?.innerError?.['unsatisfiedRequirements'], language)
  }
  return { field, text: say(language, 'error.notAccepted') }
}

function explainLockout(secondsUntilUnlock: unknown, language: Language): SignOnError {
  const minutes = typeof secondsUntilUnlock === 'number' ? Math.max(1, Math.ceil(secondsUntilUnlock / 60)) : 1
  return { field: null, text: say(language, 'error.lockedOut', { minutes }) }
}

function explainPassword(unsatisfied: unknown, language: Language): SignOnError {
  const missed = Array.isArray(unsatisfied) ? unsatisfied.filter((name) => typeof name === 'string') : []
  const name = missed.includes('minAgeDays') ? 'error.tooSoon' : 'error.requirementsMissed'
  return { field: 'newPassword', text: say(language, name), missed }
}

function isField(target: string): target is SignOnField {
  return Object.hasOwn(missing, target)
}
