/**
 * What an application asks to be granted, with the two answers there are (OpenID Connect Core 3.1.2.4). No answer has the
 * focus, so that neither is given by a key that was meant for the page before.
 */
import type { ScopeView } from '../flow/consent.ts'
import { type Fragment, html } from './html.ts'
import type { FieldContext } from './sign-on-fields.ts'
import { type FormPlace, postForm } from './sign-on-forms.ts'
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

/** The scopes in words, and the forms. */
export function consentForms(place: FormPlace, scopes: readonly ScopeView[], { language }: FieldContext): Fragment {
  const items = scopes.map((scope) => html`<li><bdi>${inWords(scope, language)}</bdi></li>`)
  const answer = (accept: boolean, look: string, text: TextName) =>
    postForm(
      place,
      'oauth.consent',
      html`<input type="hidden" name="accept" value="${String(accept)}"><button class="${look}">${say(language, text)}</button>`,
    )
  return [
    html`${items.length > 0 && html`<ul class="granted" tabindex="-1" autofocus>${items}</ul>`}`,
    answer(true, 'button', 'consent.allow'),
    answer(false, 'link', 'consent.deny'),
  ]
}

function inWords({ name, description, resource }: ScopeView, language: Language): string {
  const text = resource.name === 'openid' ? standard[name] : undefined
  return text === undefined ? (description ?? name) : say(language, text)
}
