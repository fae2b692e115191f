/** What the bench makes in Stile before it measures: an application with refresh tokens, and a resource that introspects. */

/** What `stile dev --json` prints, as far as the bench reads it. */
export interface Quickstart {
  readonly authUrl: string
  readonly apiUrl: string
  readonly environmentId: string
  readonly worker: { readonly clientId: string; readonly clientSecret: string }
  readonly singlePageApp: { readonly clientId: string; readonly redirectUri: string }
  readonly user: { readonly username: string; readonly password: string }
}

/** The objects that the bench reads. */
interface Thing {
  readonly id: string
  readonly name: string
  readonly type?: string
  readonly secret?: string
  readonly _embedded?: Readonly<Record<string, readonly Thing[]>>
}

/** What is made: a public client, and the resource that its tokens are for. */
export interface Refreshing {
  readonly clientId: string
  readonly redirectUri: string
  readonly resource: { readonly clientId: string; readonly clientSecret: string; readonly scope: string }
}

/** The management API of a demo environment, as its worker. */
export class ManagementApi {
  readonly #base: string
  readonly #token: string

  private constructor(base: string, token: string) {
    this.#base = base
    this.#token = token
  }

  static async of({ authUrl, apiUrl, environmentId, worker }: Quickstart): Promise<ManagementApi> {
    const { clientId, clientSecret } = worker
    const answer = await fetch(`${authUrl}/${environmentId}/as/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    const { access_token: token } = (await answer.json()) as { readonly access_token: string }
    return new ManagementApi(`${apiUrl}/v1/environments/${environmentId}`, token)
  }

  async makeRefreshingApplication(): Promise<Refreshing> {
    const scope = 'bench:read'
    const made = await this.#call('POST', '/resources', { name: 'Bench API', audience: 'https://bench.example' })
    await this.#call('POST', `/resources/${made.id}/scopes`, { name: scope })
    const { secret = '' } = await this.#call('GET', `/resources/${made.id}/secret`)
    const redirectUri = 'https://app.example/callback'
    const application = await this.#call('POST', '/applications', {
      name: 'Bench application',
      enabled: true,
      type: 'SINGLE_PAGE_APP',
      protocol: 'OPENID_CONNECT',
      grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'],
      responseTypes: ['CODE'],
      tokenEndpointAuthMethod: 'NONE',
      redirectUris: [redirectUri],
    })
    const { _embedded: { resources = [] } = {} } = await this.#call('GET', '/resources')
    const openid = resources.find(({ type }) => type === 'OPENID_CONNECT')
    for (const [resourceId, name] of [
      [openid?.id ?? '', 'offline_access'],
      [made.id, scope],
    ] as const) {
      const { _embedded: { scopes = [] } = {} } = await this.#call('GET', `/resources/${resourceId}/scopes`)
      const granted = scopes.filter((candidate) => candidate.name === name).map(({ id }) => ({ id }))
      const body = { resource: { id: resourceId }, scopes: granted }
      await this.#call('POST', `/applications/${application.id}/grants`, body)
    }
    return { clientId: application.id, redirectUri, resource: { clientId: made.id, clientSecret: secret, scope } }
  }

  async #call(method: string, path: string, body?: object): Promise<Thing> {
    const answer = await fetch(this.#base + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as Thing
  }
}
