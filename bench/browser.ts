/**
 * The least a browser does when somebody signs on: it keeps cookies and follows redirects. Used once per session before
 * the measuring begins. Never: paths and expiry of cookies; it talks to one server for a moment.
 */

/** A cookie jar for one server. */
export class Browser {
  readonly #cookies = new Map<string, string>()

  /** The `Cookie` header field as it stands. */
  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** Sends a request with the cookies and takes those of the answer; redirects are not followed. */
  async request(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string> | undefined), cookie: this.cookie }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    return response
  }

  /**
   * Follows redirects from `url` until one leaves for a URL that begins with one of `ends`.
   * @returns that URL, unvisited
   */
  async follow(url: string, ends: readonly string[]): Promise<string> {
    let next = url
    for (let steps = 0; steps < 10; steps += 1) {
      const response = await this.request(next)
      const location = response.headers.get('location')
      if (!location) throw new Error(`${next} answered ${response.status} without a redirect: ${await response.text()}`)
      next = new URL(location, next).href
      if (ends.some((end) => next.startsWith(end))) return next
    }
    throw new Error(`${url} redirects without an end`)
  }
}
