/**
 * The page between a request that failed and a redirect URI that nobody has vouched for: it names the application and the
 * host, and goes nowhere by itself (row A22; RFC 9700 section 4.11.2).
 *
 * Never: an address to go to that is not registered for the application.
 */
import type { FormPostPage } from './form-post.ts'
import { pageHeaders, sourceOf } from './headers.ts'
import { html } from './html.ts'
import { renderPage } from './layout.ts'
import { unverifiedNote } from './sign-on-client.ts'
import type { ClientView } from '../flow-runtime/client-view.ts'
import { type Language, say } from './texts/language.ts'

/** What the page says, and where it leads if the person wants to. */
export interface UntrustedReturn {
  readonly applicationName: string
  readonly client: ClientView
  /** `error` of the answer. */
  readonly code: string
  /** A link to the answer, or what is posted to the redirect URI. */
  readonly onward:
    | { readonly href: string }
    | { readonly action: string; readonly fields: Readonly<Record<string, string>> }
}

/** Renders the page. */
export function untrustedReturnPage(
  { applicationName, client, code, onward }: UntrustedReturn,
  language: Language,
): FormPostPage {
  const text = say(language, 'return.continue', { application: applicationName })
  const way =
    'href' in onward
      ? html`<p class="others"><a class="link" href="${onward.href}" rel="noreferrer">${text}</a></p>`
      : html`<form method="post" action="${onward.action}">
${Object.entries(onward.fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<button class="link">${text}</button>
</form>`
  return {
    html: renderPage({
      language,
      heading: say(language, 'return.heading'),
      applicationName,
      hasError: true,
      main: html`<p tabindex="-1" autofocus>${say(language, 'return.text', { application: applicationName })}</p>
${unverifiedNote(applicationName, client, language)}
<p class="reference">${say(language, 'problem.code')}<br><code>${code}</code></p>
${way}`,
    }),
    headers: pageHeaders({ formActions: 'href' in onward ? [] : [sourceOf(onward.action)] }),
  }
}
