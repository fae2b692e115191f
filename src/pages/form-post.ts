/**
 * The page of `response_mode=form_post`: a form with the answer that a script sends to the redirect URI; without
 * JavaScript, its button does (OAuth 2.0 Form Post Response Mode; security catalogue C05).
 *
 * Never: a form that may go anywhere but to the origin of that redirect URI, as far as a policy can name it. An application that answers the form by a
 * redirect to another origin of its own has to do so by a page, since browsers judge that redirect by the same rule.
 */
import { pageHeaders, sourceOf } from './headers.ts'
import { formPostScript } from './form-post-script.ts'
import { html } from './html.ts'
import { renderPage } from './layout.ts'
import { defaultLanguage, type Language, say } from './texts/language.ts'

/** A page with the headers it needs. */
export interface FormPostPage {
  readonly html: string
  readonly headers: Record<string, string>
}

/**
 * Renders the page.
 * @param redirectUri the registered address; it decides where the form may go
 * @param parameters of the answer, in order
 */
export function formPostPage(
  redirectUri: string,
  parameters: Readonly<Record<string, string>>,
  language: Language = defaultLanguage,
): FormPostPage {
  const inputs = Object.entries(parameters).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">
`,
  )
  return {
    html: renderPage({
      language,
      heading: say(language, 'formPost.heading'),
      script: formPostScript,
      main: html`<p>${say(language, 'formPost.text')}</p>
<form method="post" action="${redirectUri}">
${inputs}<button class="button" autofocus>${say(language, 'formPost.continue')}</button>
</form>`,
    }),
    headers: pageHeaders({ formActions: [sourceOf(redirectUri)] }),
  }
}
