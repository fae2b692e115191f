/**
 * The sign-on pages: one per status in which a flow waits, each a real form posted to the page's own address
 * (experience, "Sign-on pages"; authentication-api 3.3, 4.2). Pure: a view in, a page out.
 *
 * Never: a password sent back to the browser, or a form for an action that the flow does not offer.
 */
import { asksForPasskey } from '../flow/actions/account/passkey.ts'
import type { ActionStatus, MediaType } from '../flow/actions/index.ts'
import type { ActionView } from '../flow/action.ts'
import { type Html, html } from './html.ts'
import { renderPage } from './layout.ts'
import { firstPasswordPolicy, type PasswordRequirements, requirementsList } from './password-requirements.ts'
import { agreement, type AgreementFormsView } from './sign-on-agreement.ts'
import { deviceConsent, deviceUserCode } from './sign-on-device-grant.ts'
import { devices, type DevicesView, passcode, passkey, push, pushOver } from './sign-on-devices.ts'
import { field, type FieldContext, showPassword } from './sign-on-fields.ts'
import { type InvitationView, invitation } from './sign-on-invitation.ts'
import { providerLinks, type SignOnProvider } from './sign-on-providers.ts'
import type { ClientView } from '../flow-runtime/client-view.ts'
import { policyLinks, unverifiedNote } from './sign-on-client.ts'
import { consent } from './sign-on-consent.ts'
import { passkeyOffer, passkeyPage } from './sign-on-passkey.ts'
import { type Content, hiddenUsername, postForm, submit } from './sign-on-forms.ts'
import { signOnScript } from './sign-on-script.ts'
import { type Language, say, type TextName } from './texts/language.ts'

/** A waiting flow as its page shows it. */
export interface SignOnView extends DevicesView, AgreementFormsView, InvitationView {
  readonly status: ActionStatus
  readonly applicationName: string
  /** What the person chose to do instead of what the status asks first. */
  readonly aside?: Aside | undefined
  /** What to begin with: `login_hint`, or what was typed before. */
  readonly values?: FieldContext['values'] | undefined
  /** Who the flow is about: by what they proved, or by what they typed. */
  readonly user?: { readonly username: string; readonly name?: PersonName | undefined } | undefined
  readonly passwordPolicy?: PasswordRequirements | undefined
  /** Where accounts are made, if not here. */
  readonly registrationUrl?: string | undefined
  /** The identity providers that may be used now. */
  readonly providers?: readonly SignOnProvider[] | undefined
  /** Attributes that are asked for, and what the policy says to that. */
  readonly attributes?: ActionView['attributes'] | undefined
  readonly promptText?: string | undefined
  /** What is said of the application beside its name. */
  readonly client?: ClientView | undefined
  /** What the application asks to be granted. */
  readonly scopes?: ActionView['scopes'] | undefined
  /** The device that asks for it, where one does. */
  readonly deviceAuthorization?: ActionView['deviceAuthorization'] | undefined
  /** What the application shows as well. */
  readonly bindingMessage?: string | undefined
  readonly authorizationDetails?: ActionView['authorizationDetails'] | undefined
}

/** The parts of a person's name that are shown. */
export interface PersonName {
  readonly formatted?: string | undefined
  readonly given?: string | undefined
  readonly family?: string | undefined
}

/** Pages beside that of the status, each for one action that the status offers as well. */
export const asides = {
  forgot: 'password.forgot',
  register: 'user.register',
  passkey: 'assertion.check',
} as const satisfies Readonly<Record<string, MediaType>>

export type Aside = keyof typeof asides

/** Renders the page of a waiting flow. */
export function renderSignOn(view: SignOnView, language: Language): string {
  const { heading, text, note, forms } = contentOf(view, {
    language,
    error: view.error,
    values: view.values ?? {},
    hasRequirements: view.passwordPolicy !== undefined,
  })
  const { client = {} } = view
  return renderPage({
    language,
    heading: say(language, heading),
    applicationName: view.applicationName,
    logo: client.logo,
    hasError: view.error !== undefined,
    script: signOnScript,
    looksAgain: view.status === 'PUSH_CONFIRMATION_REQUIRED' && !view.offers.includes('otp.check'),
    main: html`${(note ?? text) && html`<p class="muted">${note ?? (text && say(language, text))}</p>`}
${unverifiedNote(view.applicationName, client, language)}
${view.error?.field === null && html`<p class="alert" tabindex="-1" autofocus>${view.error.text}</p>`}
${view.user && account(view, view.user, language)}
${forms}
${view.aside === undefined && providerLinks(view.providers ?? [], language, view.status === 'EXTERNAL_AUTHENTICATION_REQUIRED')}
${policyLinks(client, language)}`,
  })
}

function contentOf(view: SignOnView, context: FieldContext): Content {
  const { aside } = view
  const takesPasskey = asksForPasskey(view)
  if (aside === 'passkey' && takesPasskey) return passkeyPage(view, context, back(view, context))
  if (aside === 'forgot' && view.offers.includes(asides.forgot)) return forgot(view, context)
  if (aside === 'register' && view.offers.includes(asides.register)) return register(view, context)
  switch (view.status) {
    case 'USERNAME_PASSWORD_REQUIRED': {
      const isTyped = Boolean(context.values.username)
      const both = [
        field(context, 'username', { isFirst: !isTyped, takesPasskey }),
        field(context, 'password', { isFirst: isTyped }),
      ]
      return { heading: 'signOn.heading', forms: [signOnForm(view, context, both), others(view, context)] }
    }
    case 'PASSWORD_REQUIRED': {
      const fields = [hiddenUsername(view), field(context, 'password', { isFirst: true, takesPasskey })]
      return { heading: 'signOn.heading', forms: [signOnForm(view, context, fields), others(view, context)] }
    }
    case 'SIGN_ON_REQUIRED': {
      const fields = [field(context, 'username', { isFirst: true, takesPasskey }), submit(context, 'signOn.next')]
      return { heading: 'signOn.heading', forms: [postForm(view, 'user.lookup', fields), others(view, context)] }
    }
    case 'INVITATION_REQUIRED':
      return invitation(view, context)
    case 'MUST_CHANGE_PASSWORD':
      return { heading: 'change.heading', text: 'change.mustChange', forms: changeForm(view, context) }
    case 'PASSWORD_EXPIRED':
      return { heading: 'change.heading', text: 'change.expired', forms: changeForm(view, context) }
    case 'RECOVERY_CODE_REQUIRED':
      return { heading: 'recover.heading', text: 'recover.text', forms: recoverForms(view, context) }
    case 'VERIFICATION_CODE_REQUIRED':
      return { heading: 'verify.heading', text: 'verify.text', forms: verifyForms(view, context) }
    case 'EXTERNAL_AUTHENTICATION_REQUIRED':
      return { heading: 'signOn.heading', text: 'external.text', forms: [] }
    case 'ACCOUNT_CONFIRMATION_REQUIRED': {
      const fields = [
        field(context, 'username', { isFirst: true }),
        field(context, 'email'),
        submit(context, 'external.confirm'),
      ]
      return { heading: 'external.heading', text: 'external.right', forms: postForm(view, 'user.confirm', fields) }
    }
    case 'ACCOUNT_LINKING_REQUIRED': {
      const both = [field(context, 'username', { isFirst: true }), field(context, 'password')]
      const forms = [signOnForm(view, context, both), others(view, context)]
      return { heading: 'external.link', text: 'external.linkText', forms }
    }
    case 'AGREEMENT_CONSENT_REQUIRED':
      return agreement(view, context)
    case 'PROFILE_DATA_REQUIRED':
      return profile(view, context)
    case 'CONSENT_REQUIRED':
      return consent(view, context)
    case 'DAG_USER_CODE_REQUIRED':
      return deviceUserCode(view, context)
    case 'DAG_CONSENT_REQUIRED':
      return deviceConsent(view, context)
    case 'OTP_REQUIRED':
      return passcode(view, context)
    case 'ASSERTION_REQUIRED':
      return passkey(view, context)
    case 'PUSH_CONFIRMATION_REQUIRED':
      return push(view, context)
    case 'PUSH_CONFIRMATION_TIMED_OUT':
      return pushOver(view, context)
    case 'DEVICE_SELECTION_REQUIRED':
      return { heading: 'device.heading', text: 'device.text', forms: devices(view, context, view.devices ?? [], true) }
  }
}

function signOnForm(view: SignOnView, context: FieldContext, fields: readonly Html[]): Html {
  const content = [...fields, showPassword(context.language), submit(context, 'signOn.submit')]
  return postForm(view, 'usernamePassword.check', content)
}

/** The ways out of the first page: a passkey, a forgotten password, a new account. */
function others(view: SignOnView, context: FieldContext): Html {
  const { pageUrl, offers } = view
  const { language } = context
  const link = (aside: Aside, text: TextName) =>
    offers.includes(asides[aside]) &&
    html`<a class="link" href="${`${pageUrl}&view=${aside}`}">${say(language, text)}</a>`
  const elsewhere =
    view.registrationUrl !== undefined &&
    html`<a class="link" href="${view.registrationUrl}">${say(language, 'register.link')}</a>`
  const links = [link('forgot', 'forgot.link'), link('register', 'register.link'), elsewhere].filter(
    (one) => one !== false,
  )
  return html`${asksForPasskey(view) && passkeyOffer(view, context)}${
    links.length > 0 && html`<p class="others">${links}</p>`
  }`
}

function forgot(view: SignOnView, context: FieldContext): Content {
  const content = [
    view.user ? hiddenUsername(view) : field(context, 'username', { isFirst: true }),
    submit(context, 'forgot.submit'),
  ]
  return {
    heading: 'forgot.heading',
    text: 'forgot.text',
    forms: [postForm(view, 'password.forgot', content), back(view, context)],
  }
}

function register(view: SignOnView, context: FieldContext): Content {
  const content = [
    field(context, 'username', { isFirst: true }),
    field(context, 'email'),
    requirements({ ...view, passwordPolicy: firstPasswordPolicy(view.passwordPolicy) }, context),
    field(context, 'password', { isNew: true }),
    showPassword(context.language),
    submit(context, 'register.submit'),
  ]
  return { heading: 'register.heading', forms: [postForm(view, 'user.register', content), back(view, context)] }
}

function changeForm(view: SignOnView, context: FieldContext): Html {
  return postForm(view, 'password.reset', [
    hiddenUsername(view),
    field(context, 'currentPassword', { isFirst: true }),
    requirements(view, context),
    field(context, 'newPassword'),
    showPassword(context.language),
    submit(context, 'change.submit'),
  ])
}

function recoverForms(view: SignOnView, context: FieldContext): readonly Html[] {
  const content = [
    field(context, 'recoveryCode', { isFirst: true }),
    hiddenUsername(view),
    requirements(view, context),
    field(context, 'newPassword'),
    showPassword(context.language),
    submit(context, 'change.submit'),
  ]
  return [postForm(view, 'password.recover', content), again(view, context, 'password.sendRecoveryCode')]
}

function verifyForms(view: SignOnView, context: FieldContext): readonly Html[] {
  const content = [field(context, 'verificationCode', { isFirst: true }), submit(context, 'verify.submit')]
  return [postForm(view, 'user.verify', content), again(view, context, 'user.sendVerificationCode')]
}

function profile(view: SignOnView, context: FieldContext): Content {
  const asked = (view.attributes ?? []).map(({ name, required }, at) =>
    field(context, name, { isFirst: at === 0, isOptional: !required }),
  )
  const forms = [postForm(view, 'user.update', [...asked, submit(context, 'profile.submit')])]
  if (!view.attributes?.some(({ required }) => required)) {
    forms.push(
      postForm(view, 'user.update', html`<button class="link">${say(context.language, 'profile.skip')}</button>`),
    )
  }
  return { heading: 'profile.heading', text: 'profile.text', note: view.promptText, forms }
}

/** Has the same code sent again. */
function again(view: SignOnView, { language }: FieldContext, action: MediaType): Html {
  return postForm(view, action, html`<button class="link">${say(language, 'code.again')}</button>`)
}

function back({ pageUrl }: SignOnView, { language }: FieldContext): Html {
  return html`<p class="others"><a class="link" href="${pageUrl}">${say(language, 'signOn.back')}</a></p>`
}

function requirements({ passwordPolicy, error }: SignOnView, { language }: FieldContext): Html {
  return html`${passwordPolicy && requirementsList(passwordPolicy, error?.missed ?? [], language)}`
}

/** Who is signing on, and the way out for whoever that is not. */
function account(view: SignOnView, { username, name }: NonNullable<SignOnView['user']>, language: Language): Html {
  const full = name?.formatted ?? [name?.given, name?.family].filter(Boolean).join(' ')
  const notYou = html`<button class="link">${say(language, 'signOn.notYou')}</button>`
  return html`<div class="account"><p><bdi>${full || username}</bdi>${full && html` <span><bdi>${username}</bdi></span>`}</p>
${postForm(view, 'session.reset', notYou)}</div>`
}
