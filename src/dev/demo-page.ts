/**
 * The pages of the demo application: what came back, whether it fits the request, and what is inside, each thing with
 * its meaning. Pure: plain data in, a page out.
 */
import { catalog } from '../errors/catalog.ts'
import type { Asset } from '../pages/asset.ts'
import { withCode } from '../pages/error.ts'
import { type Html, html } from '../pages/html.ts'
import { renderPage } from '../pages/layout.ts'
import { defaultLanguage } from '../pages/texts/language.ts'
import { demoStyle, fragmentScript } from './demo-assets.ts'
import { claimMeanings, headerMeanings, moments, parameterMeanings } from './explanations.ts'
import { tokenContent } from './token-content.ts'

/** By which way the answer came. */
export type Delivery = 'query' | 'posted form'

/** An answer to show. */
export interface DemoAnswer {
  readonly delivery: Delivery
  /** What the browser brought. */
  readonly parameters: Readonly<Record<string, string>>
  /** What the code was worth at the token endpoint; undefined when it was not redeemed. */
  readonly redeemed: Readonly<Record<string, unknown>> | undefined
  readonly checks: readonly DemoCheck[]
  /** The start page of this application. */
  readonly startUrl: string
  readonly singlePage: boolean
  /** Where the user signs off; undefined without an ID token to show there. */
  readonly signOffUrl: string | undefined
}

/** Something an application has to check before it believes an answer. */
export interface DemoCheck {
  readonly passed: boolean
  readonly text: string
}

/** Renders an answer. */
export function renderAnswer(answer: DemoAnswer): string {
  const { delivery, parameters, redeemed, checks, startUrl, singlePage, signOffUrl } = answer
  const failure = parameters['error'] ?? text(redeemed?.['error'])
  const tokens = { ...parameters, ...redeemed }
  return page(
    failure === undefined ? 'The application got its answer' : 'The application got an error',
    html`<p class="muted">This is the demo application. A real one would now open a session of its own.</p>
${failure !== undefined && explainError(failure)}
${section(`Received by ${delivery}`, explained(parameters, parameterMeanings))}
${checks.length > 0 && section('Checked', html`<ul class="checks">${checks.map(check)}</ul>`)}
${redeemed && section('Received from the token endpoint', explained(redeemed, parameterMeanings))}
${tokenSection('ID token', tokens['id_token'])}
${tokenSection('Access token', tokens['access_token'])}
${section('Once more', ways(startUrl, singlePage, signOffUrl))}`,
    failure !== undefined,
  )
}

/** Renders the page for an answer that is in the fragment, or is not there at all. */
export function renderFragment(callbackUrl: string): string {
  const possible = ['access_token', 'id_token', 'token_type', 'expires_in', 'scope', 'code', 'state', 'iss', 'error']
  return page(
    'The answer is in the address',
    html`<p>Browsers do not send the part of the address after <code>#</code> to a server. With JavaScript this page hands it on; without, you can read it there yourself. If there is nothing after <code>#</code>, nothing came.</p>
<form method="post" action="${callbackUrl}"></form>
<dl class="explained">${possible.map((name) => html`<div><dt>${name}</dt><dd>${parameterMeanings[name]}</dd></div>`)}</dl>`,
    false,
    fragmentScript,
  )
}

function page(heading: string, main: Html, hasError: boolean, script?: Asset): string {
  return renderPage({
    language: defaultLanguage,
    heading,
    applicationName: 'Demo application',
    main,
    style: demoStyle,
    ...(script ? { script } : {}),
    hasError,
    wide: true,
  })
}

function section(heading: string, content: Html): Html {
  return html`<section><h2>${heading}</h2>${content}</section>
`
}

function explained(members: Readonly<Record<string, unknown>>, meanings: Readonly<Record<string, string>>): Html {
  const rows = Object.entries(members).map(
    ([name, value]) =>
      html`<div><dt>${name}</dt><dd>${shown(name, value)}</dd><dd>${Object.hasOwn(meanings, name) && meanings[name]}</dd></div>
`,
  )
  return html`<dl class="explained">${rows}</dl>`
}

function shown(name: string, value: unknown): Html {
  if (moments.has(name) && typeof value === 'number' && Math.abs(value) < 8.64e12) {
    return html`<code>${value}</code> (${new Date(value * 1000).toISOString()})`
  }
  const whole = text(value) ?? JSON.stringify(value)
  return whole.length > 120
    ? html`<details><summary><code>${whole.slice(0, 32)}…</code></summary><code>${whole}</code></details>`
    : html`<code>${whole}</code>`
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function check({ passed, text: sentence }: DemoCheck): Html {
  return passed
    ? html`<li><strong>Yes</strong> ${sentence}</li>`
    : html`<li class="bad"><strong>No</strong> ${sentence}</li>`
}

function tokenSection(heading: string, token: unknown): Html | undefined {
  const content = typeof token === 'string' ? tokenContent(token) : undefined
  if (!content) return undefined
  return section(
    heading,
    html`<p class="muted">Decoded, not verified: an application has to check the signature with the keys of the issuer first.</p>
<h3>Header</h3>${explained(content.header, headerMeanings)}<h3>Claims</h3>${explained(content.claims, claimMeanings)}`,
  )
}

function explainError(code: string): Html {
  const entry = Object.entries(catalog).find(([key]) => key === code)?.[1]
  return html`<div class="alert"><p><code>${code}</code></p>${entry && html`<p>${withCode(entry.cause)}</p><p>${withCode(entry.fix)}</p>`}</div>`
}

function ways(startUrl: string, singlePage: boolean, signOffUrl: string | undefined): Html {
  const known: readonly (readonly [string, string])[] = [
    ['Again', ''],
    ['Ask for the password again', '?prompt=login'],
    ['Without a page', '?prompt=none'],
    ['Answer in a posted form', '?response_mode=form_post'],
    ['Answer in the fragment', '?response_mode=fragment'],
    ...(singlePage ? ([['Tokens at once (implicit)', '?response_type=token id_token']] as const) : []),
  ]
  return html`<ul class="ways">${known.map(([name, query]) => html`<li><a href="${startUrl}${query.replaceAll(' ', '%20')}">${name}</a></li>`)}${signOffUrl !== undefined && html`<li><a href="${signOffUrl}">Sign off</a></li>`}</ul>`
}
