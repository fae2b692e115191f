/**
 * Where an environment lives: the only source of links, issuers, audiences and cookie paths. Nothing absolute is
 * stored, and nothing here is taken from a request's Host header but the choice among what is configured: the origins of
 * the installation, and the custom domains of environments (authentication-api 1.1 to 1.3; security catalogue 4.9).
 */

/** A custom domain that a request came under: it stands for one environment, whose id is in no path there. */
export interface DomainOrigin {
  readonly environmentId: string
  /** Scheme, name and port. */
  readonly url: string
}

/** The origins a server answers under. */
export interface Origins {
  readonly authUrl: string
  readonly apiUrl: string
  /** Where clients with certificates come in (RFC 8705 section 5); undefined where none can. */
  readonly mtlsUrl?: string | undefined
  /** Of the requests that came under it. */
  readonly domain?: DomainOrigin
}

/** What of an environment its addresses depend on. */
export interface Located {
  readonly id: string
  /** The name of its custom domain, once that is active. */
  readonly customDomain: string | undefined
}

/** The addresses of one environment. None ends with a slash. */
export interface Site {
  readonly environmentId: string
  /** `{authUrl}/{environmentId}/as`, or `{domain}/as`: the `iss` of every token. */
  readonly issuer: string
  /** Every `iss` that tokens of the environment may have: by the installation's name and by its custom domain. */
  readonly issuers: readonly string[]
  /** `{mtlsUrl}/{environmentId}/as`: the endpoints under it are for clients with certificates; no `iss`. */
  readonly mtlsBase: string | undefined
  /** `{authUrl}/{environmentId}`, or the domain: flows and `/as`. */
  readonly authBase: string
  /** `{apiUrl}/v1`: the management API. */
  readonly apiBase: string
  /** As `authBase`: the hosted pages. */
  readonly pagesBase: string
  /** The `Path` of the session cookie (decision D1). */
  readonly cookiePath: string
  /** Whether the environment is reached by its custom domain. */
  readonly isCustomDomain: boolean
  /** Whether cookies may carry `Secure; SameSite=None`. */
  readonly secure: boolean
  /** The `aud` of tokens for the platform: the API's origin. */
  readonly platformAudience: string
}

/** The sites of what has been asked for, as long as both it and the origins are there. */
const sites = new WeakMap<Origins, WeakMap<Located, Site>>()

/** Resolves the site of an environment: by its custom domain where the request came under that. */
export function resolveSite(origins: Origins, located: Located): Site {
  let known = sites.get(origins)
  if (!known) {
    known = new WeakMap()
    sites.set(origins, known)
  }
  let site = known.get(located)
  if (!site) {
    site = siteOf(origins, located)
    known.set(located, site)
  }
  return site
}

function siteOf(origins: Origins, { id, customDomain }: Located): Site {
  const isCustomDomain = origins.domain?.environmentId === id
  const usualBase = `${origins.authUrl}/${id}`
  const authBase = isCustomDomain ? pageOrigin(origins) : usualBase
  const usual = `${usualBase}/as`
  return {
    environmentId: id,
    issuer: `${authBase}/as`,
    issuers: customDomain === undefined ? [usual] : [usual, `${domainUrl(origins, customDomain)}/as`],
    mtlsBase: origins.mtlsUrl === undefined ? undefined : `${origins.mtlsUrl}/${id}/as`,
    authBase,
    apiBase: `${origins.apiUrl}/v1`,
    pagesBase: authBase,
    cookiePath: isCustomDomain ? '/' : `/${id}`,
    isCustomDomain,
    secure: origins.authUrl.startsWith('https://'),
    platformAudience: origins.apiUrl,
  }
}

/** The origin that the pages of a request have. */
export function pageOrigin({ authUrl, domain }: Pick<Origins, 'authUrl' | 'domain'>): string {
  return domain?.url ?? authUrl
}

/** The address of a custom domain: its name, reached as the installation is. */
export function domainUrl({ authUrl }: Pick<Origins, 'authUrl'>, domainName: string): string {
  const url = new URL(authUrl)
  url.hostname = domainName
  return url.origin
}

/** The origins as of the custom domain of an environment; of one without, those of the installation. */
export function originsUnder(origins: Origins, { id, customDomain }: Located): Origins {
  if (customDomain === undefined) return origins
  return { ...origins, domain: { environmentId: id, url: domainUrl(origins, customDomain) } }
}
