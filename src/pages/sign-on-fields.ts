/**
 * The fields of the sign-on forms (experience.md, "Sign-on pages"): each with its label, what a password manager fills it
 * with, and the error beside it. Each is the member of the same name in the body of the action.
 *
 * Never: a secret sent back to the browser.
 */
import { type Html, html } from './html.ts'
import { type Language, say } from './texts/language.ts'

const code = { type: 'text', autocomplete: 'one-time-code', isSecret: true } as const

const fields = {
  username: { type: 'text', autocomplete: 'username', label: 'signOn.username', isSecret: false },
  email: { type: 'email', autocomplete: 'email', label: 'register.email', isSecret: false },
  password: { type: 'password', autocomplete: 'current-password', label: 'signOn.password', isSecret: true },
  currentPassword: {
    type: 'password',
    autocomplete: 'current-password',
    label: 'change.currentPassword',
    isSecret: true,
  },
  newPassword: { type: 'password', autocomplete: 'new-password', label: 'change.newPassword', isSecret: true },
  recoveryCode: { ...code, label: 'recover.code' },
  verificationCode: { ...code, label: 'verify.code' },
  otp: { ...code, label: 'passcode.code' },
  userCode: { type: 'text', autocomplete: 'off', label: 'deviceGrant.code.label', isSecret: false },
  mobilePhone: { type: 'tel', autocomplete: 'tel', label: 'attribute.mobilePhone', isSecret: false },
  primaryPhone: { type: 'tel', autocomplete: 'tel', label: 'attribute.primaryPhone', isSecret: false },
  nickname: { type: 'text', autocomplete: 'nickname', label: 'attribute.nickname', isSecret: false },
  title: { type: 'text', autocomplete: 'organization-title', label: 'attribute.title', isSecret: false },
  locale: { type: 'text', autocomplete: 'off', label: 'attribute.locale', isSecret: false },
  timezone: { type: 'text', autocomplete: 'off', label: 'attribute.timezone', isSecret: false },
  preferredLanguage: { type: 'text', autocomplete: 'language', label: 'attribute.preferredLanguage', isSecret: false },
  'name.given': { type: 'text', autocomplete: 'given-name', label: 'attribute.name.given', isSecret: false },
  'name.middle': { type: 'text', autocomplete: 'additional-name', label: 'attribute.name.middle', isSecret: false },
  'name.family': { type: 'text', autocomplete: 'family-name', label: 'attribute.name.family', isSecret: false },
  'name.honorificPrefix': {
    type: 'text',
    autocomplete: 'honorific-prefix',
    label: 'attribute.name.honorificPrefix',
    isSecret: false,
  },
  'name.honorificSuffix': {
    type: 'text',
    autocomplete: 'honorific-suffix',
    label: 'attribute.name.honorificSuffix',
    isSecret: false,
  },
  'address.streetAddress': {
    type: 'text',
    autocomplete: 'street-address',
    label: 'attribute.address.streetAddress',
    isSecret: false,
  },
  'address.locality': {
    type: 'text',
    autocomplete: 'address-level2',
    label: 'attribute.address.locality',
    isSecret: false,
  },
  'address.region': {
    type: 'text',
    autocomplete: 'address-level1',
    label: 'attribute.address.region',
    isSecret: false,
  },
  'address.postalCode': {
    type: 'text',
    autocomplete: 'postal-code',
    label: 'attribute.address.postalCode',
    isSecret: false,
  },
  'address.countryCode': {
    type: 'text',
    autocomplete: 'country',
    label: 'attribute.address.countryCode',
    isSecret: false,
  },
} as const

/** The name of a field. */
export type SignOnField = keyof typeof fields

/** Whether a name is one of a field. */
export function isField(name: string): name is SignOnField {
  return Object.hasOwn(fields, name)
}

/** Whether what was typed into a field is shown again. */
export function isShown(name: string): boolean {
  return isField(name) && !fields[name].isSecret
}

/** What the page says about the last attempt. */
export interface SignOnError {
  /** Null where it is about the form as a whole. */
  readonly field: SignOnField | null
  readonly text: string
  /** Requirements of the password policy that the new password did not meet. */
  readonly missed?: readonly string[]
}

/** What a field is drawn from. */
export interface FieldContext {
  readonly language: Language
  readonly error?: SignOnError | undefined
  /** What was typed before. */
  readonly values: Readonly<Partial<Record<SignOnField, string>>>
  /** Whether the list of requirements stands beside a field that chooses a password. */
  readonly hasRequirements: boolean
}

/** How a field is drawn. */
export interface FieldOptions {
  /** Whether it is the one to fill in next; an error draws the focus away from it. */
  readonly isFirst?: boolean
  /** Whether a password is chosen here and not typed from memory. */
  readonly isNew?: boolean
  /** Whether it may be left empty. */
  readonly isOptional?: boolean
  /** Whether a passkey may be chosen in it. */
  readonly takesPasskey?: boolean
}

/** A field with its label, and the error beside it where there is one. */
export function field(
  { language, error: wrong, values, hasRequirements }: FieldContext,
  name: SignOnField,
  { isFirst = false, isNew = false, isOptional = false, takesPasskey = false }: FieldOptions = {},
): Html {
  const { type, autocomplete, label, isSecret } = fields[name]
  const error = wrong?.field === name ? wrong : undefined
  const chooses = isNew || name === 'newPassword'
  const describedBy = [error && `${name}-error`, chooses && hasRequirements && 'requirements'].filter(
    (id) => typeof id === 'string',
  )
  const typed = isSecret ? undefined : values[name]
  const isName = type === 'text' || type === 'email'
  return html`<div class="field">
<label for="${name}">${say(language, label)}${isOptional && html` <span class="muted">${say(language, 'field.optional')}</span>`}</label>
<input id="${name}" name="${name}" type="${type}" autocomplete="${chooses ? 'new-password' : autocomplete}${takesPasskey && ' webauthn'}"${!isOptional && html` required`}${
    !isSecret && html` value="${typed}"`
  }${isName && html` autocapitalize="${name === 'userCode' ? 'characters' : 'none'}" autocorrect="off" spellcheck="false"`}${error && html` aria-invalid="true"`}${
    describedBy.length > 0 && html` aria-describedby="${describedBy.join(' ')}"`
  }${(error ?? (isFirst && !wrong)) && html` autofocus`}>
${error && html`<p class="error" id="${name}-error">${error.text}</p>`}
</div>
`
}

/** A switch that shows passwords; it appears where scripts run. */
export function showPassword(language: Language): Html {
  return html`<label class="check" hidden><input type="checkbox" id="show-password" autocomplete="off"> ${say(language, 'signOn.showPassword')}</label>
`
}
