/**
 * The sign-on pages: one per status in which a flow waits, each a real form posted to the page's own address
 * (experience, "Sign-on pages"; authentication-api 3.3, 4.2). Pure: a view in, a page out.
 *
 * Never: a password sent back to the browser, or a form for an action that the flow does not offer.
 */
import type { ActionStatus, MediaType } from '../flow/actions/index.ts'
import { type Fragment, type Html, html } from './html.ts'
import { renderPage } from './layout.ts'
import { type PasswordRequirements, requirementsList } from './password-requirements.ts'
import type { SignOnError, SignOnField } from './sign-on-error.ts'
import { signOnScript } from './sign-on-script.ts'
import { type Language, say } from './texts/language.ts'

/** A waiting flow as its page shows it. */
export interface SignOnView {
  readonly status: ActionStatus
  /** The address of the page itself, where its forms are posted. */
  readonly pageUrl: string
  readonly applicationName: string
  /** What may be done now. */
  readonly offers: readonly MediaType[]
  /** What to begin with: `login_hint`, or what was typed before. */
  readonly username?: string | undefined
  /** Who the flow is about, once it may say so. */
  readonly user?: { readonly username: string; readonly name?: PersonName | undefined } | undefined
  readonly passwordPolicy?: PasswordRequirements | undefined
  /** What was wrong with the last attempt. */
  readonly error?: SignOnError | undefined
}

/** The parts of a person's name that are shown. */
export interface PersonName {
  readonly formatted?: string | undefined
  readonly given?: string | undefined
  readonly family?: string | undefined
}

/** Renders the page of a waiting flow. */
export function renderSignOn(view: SignOnView, language: Language): string {
  const isChange = view.status === 'MUST_CHANGE_PASSWORD' || view.status === 'PASSWORD_EXPIRED'
  return renderPage({
    language,
    heading: say(language, isChange ? 'change.heading' : 'signOn.heading'),
    applicationName: view.applicationName,
    hasError: view.error !== undefined,
    script: signOnScript,
    main: html`${isChange && html`<p class="muted">${reason(view.status, language)}</p>`}
${view.error?.field === null && html`<p class="alert" tabindex="-1" autofocus>${view.error.text}</p>`}
${view.user && account(view, view.user, language)}
${form(view, language)}`,
  })
}

function reason(status: 'MUST_CHANGE_PASSWORD' | 'PASSWORD_EXPIRED', language: Language): string {
  return say(language, status === 'MUST_CHANGE_PASSWORD' ? 'change.mustChange' : 'change.expired')
}

function form(view: SignOnView, language: Language): Html {
  switch (view.status) {
    case 'USERNAME_PASSWORD_REQUIRED':
      return signOnForm(view, language, [
        field(view, language, 'username', !view.username),
        field(view, language, 'password', Boolean(view.username)),
      ])
    case 'PASSWORD_REQUIRED':
      return signOnForm(view, language, [hiddenUsername(view), field(view, language, 'password', true)])
    case 'MUST_CHANGE_PASSWORD':
    case 'PASSWORD_EXPIRED':
      return changeForm(view, language)
  }
}

function signOnForm(view: SignOnView, language: Language, fields: readonly Html[]): Html {
  return postForm(
    view,
    'usernamePassword.check',
    html`${fields}${showPassword(language)}<button class="button">${say(language, 'signOn.submit')}</button>`,
  )
}

function changeForm(view: SignOnView, language: Language): Html {
  const { passwordPolicy, error } = view
  return postForm(
    view,
    'password.reset',
    html`${hiddenUsername(view)}${field(view, language, 'currentPassword', true)}
${passwordPolicy && requirementsList(passwordPolicy, error?.missed ?? [], language)}
${field(view, language, 'newPassword', false)}${showPassword(language)}<button class="button">${say(language, 'change.submit')}</button>`,
  )
}

/** Who is signing on, and the way out for whoever that is not. */
function account(view: SignOnView, { username, name }: NonNullable<SignOnView['user']>, language: Language): Html {
  const full = name?.formatted ?? [name?.given, name?.family].filter(Boolean).join(' ')
  const notYou = html`<button class="link">${say(language, 'signOn.notYou')}</button>`
  return html`<div class="account"><p><bdi>${full || username}</bdi>${full && html` <span><bdi>${username}</bdi></span>`}</p>
${postForm(view, 'session.reset', notYou)}</div>`
}

/** A form that carries out an action; nothing where the flow does not offer it. */
function postForm({ pageUrl, offers }: SignOnView, action: MediaType, content: Fragment): Html {
  if (!offers.includes(action)) return html``
  return html`<form method="post" action="${pageUrl}">
<input type="hidden" name="action" value="${action}">
${content}
</form>`
}

/** Tells password managers whose password this is. It has no name, so that it is not sent. */
function hiddenUsername({ user }: SignOnView): Html {
  return html`${user && html`<input type="text" autocomplete="username" value="${user.username}" readonly hidden>`}`
}

function showPassword(language: Language): Html {
  return html`<label class="check" hidden><input type="checkbox" id="show-password" autocomplete="off"> ${say(language, 'signOn.showPassword')}</label>
`
}

const fields = {
  username: { type: 'text', autocomplete: 'username', label: 'signOn.username' },
  password: { type: 'password', autocomplete: 'current-password', label: 'signOn.password' },
  currentPassword: { type: 'password', autocomplete: 'current-password', label: 'change.currentPassword' },
  newPassword: { type: 'password', autocomplete: 'new-password', label: 'change.newPassword' },
} as const satisfies Readonly<Record<SignOnField, object>>

/**
 * A field with its label, and the error beside it where there is one.
 * @param isFirst whether it is the one to fill in next; an error draws the focus away from it
 */
function field(view: SignOnView, language: Language, name: SignOnField, isFirst: boolean): Html {
  const { type, autocomplete, label } = fields[name]
  const error = view.error?.field === name ? view.error : undefined
  const describedBy = [
    error && `${name}-error`,
    name === 'newPassword' && view.passwordPolicy && 'requirements',
  ].filter((id) => typeof id === 'string')
  return html`<div class="field">
<label for="${name}">${say(language, label)}</label>
<input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" required${
    name === 'username' && html` value="${view.username}" autocapitalize="none" autocorrect="off" spellcheck="false"`
  }${error && html` aria-invalid="true"`}${describedBy.length > 0 && html` aria-describedby="${describedBy.join(' ')}"`}${
    (error ?? (isFirst && !view.error)) && html` autofocus`
  }>
${error && html`<p class="error" id="${name}-error">${error.text}</p>`}
</div>
`
}
