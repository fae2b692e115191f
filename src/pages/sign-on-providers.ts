/** Ways to an identity provider on the sign-on pages: links, since the browser leaves by them (authentication-api 3.5). */
import { type Html, html } from './html.ts'
import { type Language, say } from './texts/language.ts'

/** A provider as the flow shows it. */
export interface SignOnProvider {
  readonly name: string
  readonly href: string
}

/**
 * The providers to choose from.
 * @param isAll whether there is nothing else to do on the page, so that the first one takes the focus
 */
export function providerLinks(providers: readonly SignOnProvider[], language: Language, isAll = false): Html {
  return html`${
    providers.length > 0 &&
    html`<p class="others">${providers.map(
      (
        { name, href },
        at,
      ) => html`<a class="link" href="${href}"${isAll && at === 0 && html` autofocus`}>${say(language, 'external.with', { provider: name })}</a>
`,
    )}</p>`
  }`
}
