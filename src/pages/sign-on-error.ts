/**
 * A refusal of the flow in the words of the sign-on page: which field it is about, and what to do (authentication-api
 * 7.3, 7.4).
 *
 * Never: more than the refusal itself tells; unknown user, disabled user and wrong password read the same (decision D6).
 */
import { isField, type SignOnError, type SignOnField } from './sign-on-fields.ts'
import { type Language, say, type TextName } from './texts/language.ts'

/** A detail of a refusal, as flows and problems have it. */
interface RefusalDetail {
  readonly code: string
  readonly target?: string
  readonly innerError?: Readonly<Record<string, unknown>>
}

const missing: Readonly<Partial<Record<SignOnField, TextName>>> = {
  username: 'error.enterUsername',
  password: 'error.enterPassword',
  currentPassword: 'error.enterCurrentPassword',
  newPassword: 'error.enterNewPassword',
  email: 'error.enterEmail',
  recoveryCode: 'error.enterCode',
  verificationCode: 'error.enterCode',
  otp: 'error.enterCode',
  userCode: 'error.enterCode',
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
  if (code === 'LIMIT_EXCEEDED') return { field, text: say(language, 'error.tooManyCodes') }
  if (code === 'INVALID_OTP') return { field: 'otp', text: say(language, 'error.wrongCode') }
  if (code === 'UNIQUENESS_VIOLATION') return { field, text: say(language, 'error.taken') }
  if (code === 'REQUIRED_VALUE' && field) return { field, text: say(language, missing[field] ?? 'error.enterValue') }
  if (detail?.target === 'accept') return { field: null, text: say(language, 'error.accept') }
  if (detail?.target === 'inviteCode') return { field: null, text: say(language, 'invitation.over.text') }
  if (code === 'INVALID_VALUE' && detail?.target === 'assertion') {
    return { field: null, text: say(language, 'error.wrongPasskey') }
  }
  if (code === 'INVALID_VALUE') {
    if (field === 'recoveryCode' || field === 'verificationCode' || field === 'userCode')
      return { field, text: say(language, 'error.wrongCode') }
    if (field === 'email') return { field, text: say(language, 'error.noEmail') }
    if (field === 'password') return explainPassword(field, detail?.innerError?.['unsatisfiedRequirements'], language)
    if (field === 'username')
      return { field, text: say(language, usernameKnown ? 'error.otherUser' : 'error.noUsername') }
    if (field === 'currentPassword') return { field, text: say(language, 'error.wrongCurrentPassword') }
    if (field === 'newPassword')
      return explainPassword(field, detail?.innerError?.['unsatisfiedRequirements'], language)
  }
  return { field, text: say(language, 'error.notAccepted') }
}

function explainLockout(secondsUntilUnlock: unknown, language: Language): SignOnError {
  const minutes = typeof secondsUntilUnlock === 'number' ? Math.max(1, Math.ceil(secondsUntilUnlock / 60)) : 1
  return { field: null, text: say(language, 'error.lockedOut', { minutes }) }
}

function explainPassword(field: SignOnField, unsatisfied: unknown, language: Language): SignOnError {
  const missed = Array.isArray(unsatisfied) ? unsatisfied.filter((name) => typeof name === 'string') : []
  const name = missed.includes('minAgeDays') ? 'error.tooSoon' : 'error.requirementsMissed'
  return { field, text: say(language, name), missed }
}
