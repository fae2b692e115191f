/**
 * The frame of every hosted page: one card, one heading, one style sheet (experience, "Sign-on pages"; WCAG 2.2 AA).
 *
 * Never: an inline script or style, or anything of another host; the headers of headers.ts would not let it work.
 */
import type { Asset } from './asset.ts'
import { type Html, html } from './html.ts'
import { icon } from './icon.ts'
import { styleSheet } from './style.css.ts'
import { type Language, say } from './texts/language.ts'

/** What a page puts into the frame. */
export interface Page {
  readonly language: Language
  readonly heading: string
  /** Under whose name the page stands; shown above the heading and in the title. */
  readonly applicationName?: string | undefined
  /** A picture of the application, of this server. */
  readonly logo?: string | undefined
  readonly main: Html
  readonly script?: Asset
  /** A style sheet beside the common one. */
  readonly style?: Asset
  /** Whether the page answers with an error, which the title tells first. */
  readonly hasError?: boolean
  /** An address to go on to at once. A new navigation, which no policy of a form before it judges. */
  readonly goesOnTo?: string | undefined
  /** An address to go on to when everything is loaded; without JavaScript, a while after. */
  readonly goesOnLater?: string | undefined
  /** Without JavaScript it is loaded again every few seconds; not where somebody may be typing. */
  readonly looksAgain?: boolean
  /** For pages that show more than a form. */
  readonly wide?: boolean
}

/** Renders a whole page. */
export function renderPage(page: Page): string {
  const { language, heading, applicationName, logo, main, script, style, hasError, goesOnTo, goesOnLater } = page
  const { looksAgain, wide } = page
  const named = applicationName
    ? say(language, 'title.withApplication', { heading, application: applicationName })
    : heading
  const title = hasError ? say(language, 'title.withError', { title: named }) : named
  return html`<!doctype html>
<html lang="${language.tag}" dir="${language.direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
${goesOnTo !== undefined && html`<meta http-equiv="refresh" content="0;url=${goesOnTo}">`}
${goesOnLater !== undefined && html`<noscript><meta http-equiv="refresh" content="5;url=${goesOnLater}"></noscript>`}
${looksAgain && html`<noscript><meta http-equiv="refresh" content="5"></noscript>`}
<title>${title}</title>
<link rel="icon" type="image/svg+xml" href="${icon.path}">
<link rel="stylesheet" href="${styleSheet.path}">
${style && html`<link rel="stylesheet" href="${style.path}">`}
${script && html`<script type="module" src="${script.path}"></script>`}
</head>
<body${wide && html` class="wide"`}>
<main>
${applicationName ? brand(applicationName, logo) : ''}
<h1>${heading}</h1>
${main}
</main>
</body>
</html>
`.toString()
}

/** The application's name beside its picture or, where it has none, its first letter. */
function brand(applicationName: string, logo: string | undefined): Html {
  if (logo !== undefined) {
    return html`<div class="brand"><img src="${logo}" alt=""><p><bdi>${applicationName}</bdi></p></div>`
  }
  // Intl.Segmenter would also keep joined emoji together, but costs 100 ms when it is first made.
  const [first = ''] = /\S\p{M}*/u.exec(applicationName) ?? []
  return html`<div class="brand"><span aria-hidden="true">${first.toUpperCase()}</span><p><bdi>${applicationName}</bdi></p></div>`
}
