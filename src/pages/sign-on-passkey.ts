/**
 * A passkey in the place of username and password on the sign-on pages (extension): offered beside the form where scripts
 * run, and on a page of its own, which has a fresh challenge each time it is opened.
 */
import { html, type Html } from './html.ts'
import { type DevicesView, signingForm } from './sign-on-devices.ts'
import type { FieldContext } from './sign-on-fields.ts'
import { type Content, postForm } from './sign-on-forms.ts'
import { say } from './texts/language.ts'

/** The offer; sign-on-script.ts shows it, and has browsers fill in passkeys where a username is typed. */
export function passkeyOffer(view: DevicesView, { language }: FieldContext): Html {
  const offer = html`<div class="others" id="passkey" data-options="${view.publicKeyCredentialRequestOptions ?? ''}" hidden>
<input type="hidden" name="origin"><input type="hidden" name="assertion">
<p class="alert" id="passkey-failed" role="alert" hidden>${say(language, 'passkey.failed')}</p>
<button class="link" type="button" data-page="${`${view.pageUrl}&view=passkey`}">${say(language, 'passkey.offer')}</button></div>`
  return postForm(view, 'assertion.check', offer)
}

/** The page of its own. @param back the way to the form */
export function passkeyPage(view: DevicesView, context: FieldContext, back: Html): Content {
  return { heading: 'passkey.heading', text: 'passkey.text', forms: [signingForm(view, context), back] }
}
