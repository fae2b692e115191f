/**
 * The page of a failure: what happened and what to do, in words for whoever came here, then the same for developers, and
 * the correlation id to report (security catalogue A20, W02; decision D10).
 *
 * Never: a link or a redirect to an address of the request, or a part of the request repeated without being escaped.
 */
import type { CatalogKey } from '../errors/catalog.ts'
import type { Problem } from '../errors/problem.ts'
import { type Html, html } from './html.ts'
import { renderPage } from './layout.ts'
import { defaultLanguage, type Language, say } from './texts/language.ts'

type Kind = 'request' | 'notFound' | 'refused' | 'limited' | 'unavailable' | 'unexpected'

/**
 * Renders the page of a failure.
 * @param correlationId the id under which the log knows the request
 * @param offer what can be done here all the same
 */
export function errorPage(
  failure: Problem,
  correlationId: string,
  language: Language = defaultLanguage,
  offer?: Html,
): string {
  const kind = kindOf(failure.key, failure.entry.status)
  return renderPage({
    language,
    heading: say(language, `problem.${kind}.heading`),
    hasError: true,
    main: html`<p>${say(language, `problem.${kind}.text`)}</p>
<p>${say(language, `problem.${kind}.advice`)}</p>
${offer}
${forDevelopers(failure, kind === 'request', language)}
<p class="reference">${say(language, 'problem.reference')}<br><code>${correlationId}</code></p>`,
  })
}

function kindOf(key: CatalogKey, status: number): Kind {
  if (key === 'unknown_client' || key === 'redirect_uri_rejected') return 'request'
  if (status === 404) return 'notFound'
  if (status === 429) return 'limited'
  if (status === 503) return 'unavailable'
  if (status >= 500) return 'unexpected'
  return status === 401 || status === 403 ? 'refused' : 'request'
}

/** @param open whether to show it at once: whoever meets a wrong request is most likely setting an application up */
function forDevelopers({ key, entry, description, details }: Problem, open: boolean, language: Language): Html {
  const said = [description, ...details.map(({ target, message }) => (target ? `${target}: ${message}` : message))]
  return html`<details${open && html` open`}><summary>${say(language, 'problem.developers')}</summary>
<dl class="facts">
<dt>${say(language, 'problem.code')}</dt><dd><code>${key}</code></dd>
${said.map((sentence) => sentence && html`<dt>${say(language, 'problem.said')}</dt><dd>${sentence}</dd>`)}
<dt>${say(language, 'problem.cause')}</dt><dd>${withCode(entry.cause)}</dd>
<dt>${say(language, 'problem.fix')}</dt><dd>${withCode(entry.fix)}</dd>
</dl></details>`
}

/** A text of the catalogue, which marks code by backticks. */
export function withCode(text: string): readonly Html[] {
  return text.split('`').map((part, index) => (index % 2 === 0 ? html`${part}` : html`<code>${part}</code>`))
}
