/**
 * The sign-on pages without a form: a flow that is finished, or gone (authentication-api 3.2, 3.3; rows I04, I13).
 *
 * A completed flow goes on to the application by a navigation of its own. The redirect of the posted form could not:
 * browsers hold every redirect after a form against `form-action`, even those the application makes later.
 *
 * Never: an address to go to that the caller did not make from the flow itself (row A21).
 */
import type { FailureCode } from '../flow/failure.ts'
import { html } from './html.ts'
import { renderPage } from './layout.ts'
import { type Language, say } from './texts/language.ts'

/** What there is to say of a flow that does not wait. */
export type SignOnNotice =
  | { readonly kind: 'completed'; readonly applicationName: string; readonly resumeUrl: string }
  | {
      readonly kind: 'failed'
      readonly applicationName: string
      readonly resumeUrl: string
      readonly failure: FailureCode
    }
  /** Finished, for an application that waits elsewhere: what has come of it is said there. */
  | { readonly kind: 'elsewhere'; readonly applicationName: string; readonly resumeUrl: string }
  /** Expired, resumed before, or of another browser: nothing of it may be shown. */
  | { readonly kind: 'gone' }

/** Renders the page of a flow that does not wait. */
export function renderSignOnNotice(notice: SignOnNotice, language: Language): string {
  switch (notice.kind) {
    case 'completed': {
      const { applicationName, resumeUrl } = notice
      return renderPage({
        language,
        heading: say(language, 'completed.heading'),
        applicationName,
        goesOnTo: resumeUrl,
        main: html`<p>${say(language, 'completed.text', { application: applicationName })}</p>
<a class="button" href="${resumeUrl}">${say(language, 'completed.continue')}</a>`,
      })
    }
    case 'failed': {
      const { applicationName, resumeUrl, failure } = notice
      return renderPage({
        language,
        heading: say(language, 'failed.heading'),
        applicationName,
        hasError: true,
        main: html`<p>${say(language, `failed.${failure}`)}</p>
<a class="button" href="${resumeUrl}">${say(language, 'failed.continue', { application: applicationName })}</a>`,
      })
    }
    case 'elsewhere': {
      const { applicationName, resumeUrl } = notice
      return renderPage({
        language,
        heading: say(language, 'elsewhere.moment'),
        applicationName,
        goesOnTo: resumeUrl,
        main: html`<a class="button" href="${resumeUrl}">${say(language, 'completed.continue')}</a>`,
      })
    }
    case 'gone':
      return renderPage({
        language,
        heading: say(language, 'gone.heading'),
        hasError: true,
        main: html`<p>${say(language, 'gone.text')}</p><p>${say(language, 'gone.advice')}</p>`,
      })
  }
}
