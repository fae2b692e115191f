/**
 * What an application asks to be granted, with the two answers there are (OpenID Connect Core 3.1.2.4). No answer has the
 * focus, so that neither is given by a key that was meant for the page before.
 */
import type { MediaType } from '../flow/actions/index.ts'
import type { ConsentDetail, ScopeView } from '../flow/consent.ts'
import { type Fragment, type Html, html } from './html.ts'
import type { FieldContext } from './sign-on-fields.ts'
import { type Content, type FormPlace, postForm } from './sign-on-forms.ts'
import { type Language, say, type TextName } from './texts/language.ts'

/** The built-in scopes, which the pages describe in the language of the reader. */
const standard: Readonly<Record<string, TextName>> = {
  openid: 'consent.openid',
  profile: 'consent.profile',
  email: 'consent.email',
  address: 'consent.address',
  phone: 'consent.phone',
  offline_access: 'consent.offline_access',
}

/** A flow that waits for a consent. */
export interface ConsentView extends FormPlace {
  readonly applicationName: string
  readonly scopes?: readonly ScopeView[] | undefined
  /** What is asked for beside scopes (RFC 9396). */
  readonly authorizationDetails?: readonly ConsentDetail[] | undefined
  /** What the application shows as well (OpenID CIBA Core section 7.1). */
  readonly bindingMessage?: string | undefined
}

/** What is asked for in words, and the forms. */
export function consent(view: ConsentView, { language }: FieldContext): Content {
  const { applicationName: application, scopes = [], authorizationDetails = [], bindingMessage } = view
  return {
    heading: 'consent.heading',
    note: say(language, 'consent.text', { application }),
    forms: [
      scopeList(scopes, language),
      detailList(authorizationDetails),
      bindingMessage !== undefined &&
        html`<p>${say(language, 'consent.binding', { application })}</p>
<p class="binding"><bdi>${bindingMessage}</bdi></p>`,
      ...answers(view, 'oauth.consent', language, { yes: 'consent.allow', no: 'consent.deny' }),
    ],
  }
}

/** What is asked for, in words. */
export function scopeList(scopes: readonly ScopeView[], language: Language): Fragment {
  const items = scopes.map((scope) => html`<li><bdi>${inWords(scope, language)}</bdi></li>`)
  return items.length > 0 && html`<ul class="granted" tabindex="-1" autofocus>${items}</ul>`
}

/** A form for each answer. */
export function answers(
  place: FormPlace,
  action: MediaType,
  language: Language,
  texts: { readonly yes: TextName; readonly no: TextName },
): readonly Html[] {
  const answer = (accept: boolean, look: string, text: TextName) =>
    postForm(
      place,
      action,
      html`<input type="hidden" name="accept" value="${String(accept)}"><button class="${look}">${say(language, text)}</button>`,
    )
  return [answer(true, 'button', texts.yes), answer(false, 'link', texts.no)]
}

/** What is asked for in detail. */
export function detailList(details: readonly ConsentDetail[]): Fragment {
  return details.map(inDetail)
}

function inDetail({ description, lines }: ConsentDetail): Fragment {
  const facts = lines.map(({ label, value }) => html`<dt><bdi>${label}</bdi></dt><dd><bdi>${value}</bdi></dd>`)
  return html`<section class="detail"><h2>${description}</h2>${facts.length > 0 && html`<dl class="facts">${facts}</dl>`}</section>`
}

function inWords({ name, description, resource }: ScopeView, language: Language): string {
  const text = resource.name === 'openid' ? standard[name] : undefined
  return text === undefined ? (description ?? name) : say(language, text)
}
