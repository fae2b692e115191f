/** What sign-on pages are made of: forms that carry out an action of the flow, and a page's content around them. */
import type { MediaType } from '../flow/actions/index.ts'
import { type Fragment, type Html, html } from './html.ts'
import type { FieldContext } from './sign-on-fields.ts'
import { say, type TextName } from './texts/language.ts'

/** Where forms go, and what they may do. */
export interface FormPlace {
  /** The address of the page itself, where its forms are posted. */
  readonly pageUrl: string
  /** What may be done now. */
  readonly offers: readonly MediaType[]
}

/** One page: its heading, a sentence, and its forms. */
export interface Content {
  readonly heading: TextName
  readonly text?: TextName
  /** In the place of the text: words of the policy. */
  readonly note?: string | undefined
  readonly forms: Fragment
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
