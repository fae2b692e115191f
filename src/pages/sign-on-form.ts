/** What the forms of the sign-on pages are made of: each carries out one action that the flow offers. */
import type { MediaType } from '../flow/actions/index.ts'
import { type Fragment, type Html, html } from './html.ts'
import type { FieldContext } from './sign-on-fields.ts'
import { say, type TextName } from './texts/language.ts'

/** Where forms are posted, and what may be done. */
export interface FormPlace {
  readonly pageUrl: string
  readonly offers: readonly MediaType[]
}

/** A form that carries out an action; nothing where the flow does not offer it. */
export function postForm({ pageUrl, offers }: FormPlace, action: MediaType, content: Fragment): Html {
  if (!offers.includes(action)) return html``
  return html`<form method="post" action="${pageUrl}">
<input type="hidden" name="action" value="${action}">
${content}
</form>`
}

/** The button of a form. */
export function submit({ language }: FieldContext, text: TextName): Html {
  return html`<button class="button">${say(language, text)}</button>`
}

/** Tells password managers whose password this is. It has no name, so that it is not sent. */
export function hiddenUsername({ user }: { readonly user?: { readonly username: string } | undefined }): Html {
  return html`${user && html`<input type="text" autocomplete="username" value="${user.username}" readonly hidden>`}`
}
