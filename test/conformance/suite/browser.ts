/**
 * The browser of the conformance suite: keeps cookies (RFC 6265), follows redirects and `meta refresh`, loads frames, and
 * fills plain forms. It is as old as the suite's HtmlUnit: no script of a page runs, so whatever a page needs a script
 * for has to have a button or a link.
 *
 * Never: a request to anybody but the server under test. What leads elsewhere has arrived at the relying party, which is
 * the suite itself.
 */
import assert from 'node:assert/strict'
import type { Answer } from '../../harness/stile.ts'

/** A page as it is shown. */
export interface Page {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly html: string
}

/** A request that reached the relying party. */
export interface Arrival {
  readonly method: string
  readonly url: URL
  readonly contentType: string | undefined
  readonly body: string
}

/** Where the browser came to. */
export type Place = Page | Arrival

/** A form of a page, as its buttons send it. */
export interface Form {
  readonly action: URL
  readonly fields: Readonly<Record<string, string>>
  /** The names of all that can be typed in. */
  readonly names: readonly string[]
}

/** How the server under test is reached. */
type Send = (
  url: URL,
  call: { method: string; headers: Readonly<Record<string, string>>; body?: string },
) => Promise<Answer>

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

/** Whether it is the relying party's. */
export function hasArrived(place: Place): place is Arrival {
  return 'method' in place
}

export class SuiteBrowser {
  /** What frames of pages asked the relying party for. */
  readonly framed: Arrival[] = []
  private readonly cookies = new Map<string, Cookie>()
  private readonly origin: string
  private readonly send: Send

  /** @param origin of the server under test */
  constructor(origin: string, send: Send) {
    this.origin = origin
    this.send = send
  }

  /** Goes to an address, and on to wherever it leads by itself. */
  open(url: URL | string, from?: URL): Promise<Place> {
    return this.request(new URL(url), 'GET', undefined, from)
  }

  /** Sends a form. */
  submit(form: Pick<Form, 'action' | 'fields'>, from?: URL): Promise<Place> {
    return this.request(form.action, 'POST', new URLSearchParams(form.fields).toString(), from)
  }

  /** The value of a cookie at a path. */
  cookie(name: string, path: string): string | undefined {
    return this.cookiesFor(path).find((cookie) => cookie.name === name)?.value
  }

  private async request(url: URL, method: string, body: string | undefined, from: URL | undefined): Promise<Place> {
    if (url.origin !== this.origin) {
      const contentType = body === undefined ? undefined : 'application/x-www-form-urlencoded'
      return { method, url, contentType, body: body ?? '' }
    }
    const answer = await this.send(url, { method, headers: this.headers(url, body, from), ...(body ? { body } : {}) })
    for (const line of answer.headers.getSetCookie()) this.keep(line)
    const location = answer.headers.get('location')
    if (location !== null && answer.status >= 300 && answer.status < 400) {
      const again = answer.status === 307 || answer.status === 308
      return this.request(new URL(location, url), again ? method : 'GET', again ? body : undefined, url)
    }
    const page = { url, status: answer.status, headers: answer.headers, html: answer.text }
    await this.loadFrames(page)
    const refresh = /<meta http-equiv="refresh" content="0;url=([^"]*)">/.exec(page.html)?.[1]
    return refresh === undefined ? page : this.request(new URL(unescaped(refresh), url), 'GET', undefined, url)
  }

  private async loadFrames(page: Page): Promise<void> {
    for (const [, source = ''] of page.html.matchAll(/<iframe [^>]*src="([^"]*)"/g)) {
      const place = await this.open(new URL(unescaped(source), page.url), page.url)
      if (hasArrived(place)) this.framed.push(place)
    }
  }

  private headers(url: URL, body: string | undefined, from: URL | undefined): Record<string, string> {
    const cookies = this.cookiesFor(url.pathname).map(({ name, value }) => `${name}=${value}`)
    return {
      accept: 'text/html,*/*;q=0.8',
      'accept-language': 'en-US,en;q=0.9',
      'sec-fetch-dest': 'document',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-site': from === undefined ? 'none' : from.origin === url.origin ? 'same-origin' : 'cross-site',
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(body === undefined || from === undefined ? {} : { origin: from.origin }),
      ...(cookies.length > 0 ? { cookie: cookies.join('; ') } : {}),
    }
  }

  private cookiesFor(path: string): readonly Cookie[] {
    return [...this.cookies.values()].filter(
      (cookie) => path === cookie.path || path.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`),
    )
  }

  private keep(line: string): void {
    const [pair = '', ...attributes] = line.split('; ')
    const [name = '', ...value] = pair.split('=')
    const path = attributes.find((each) => each.startsWith('Path='))?.slice(5) ?? '/'
    assert.ok(attributes.includes('Secure'), `a cookie of an https origin is Secure: ${line}`)
    if (attributes.includes('Max-Age=0')) this.cookies.delete(`${name} ${path}`)
    else this.cookies.set(`${name} ${path}`, { name, path, value: value.join('=') })
  }
}

/** The forms of a page. */
export function formsOf({ html, url }: Page): readonly Form[] {
  return [...html.matchAll(/<form method="post" action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)].map(
    ([, action = '', content = '']) => {
      const inputs = [...content.matchAll(/<(?:input|button)([^>]*)>/g)].flatMap(([, attributes = '']) => {
        const name = attribute(attributes, 'name')
        return name === undefined ? [] : [[name, attribute(attributes, 'value') ?? ''] as const]
      })
      return {
        action: new URL(unescaped(action), url),
        fields: Object.fromEntries(inputs),
        names: inputs.map(([name]) => name),
      }
    },
  )
}

function attribute(attributes: string, name: string): string | undefined {
  const value = new RegExp(` ${name}="([^"]*)"`).exec(attributes)?.[1]
  return value === undefined ? undefined : unescaped(value)
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

/** A text of HTML as it is meant. */
export function unescaped(text: string): string {
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] ?? '')
}
