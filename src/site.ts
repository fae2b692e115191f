/**
 * Where an environment lives: the only source of links, issuers, audiences and cookie paths. Nothing absolute is
 * stored, and nothing here is taken from a request's Host header (authentication-api 1.1, 1.2; security catalogue 4.9).
 */

/** The origins a server answers under. */
export interface Origins {
  readonly authUrl: string
  readonly apiUrl: string
  /** Where clients with certificates come in (RFC 8705 section 5); undefined where none can. */
  readonly mtlsUrl?: string | undefined
}

/** The addresses of one environment. None ends with a slash. */
export interface Site {
  readonly environmentId: string
  /** `{authUrl}/{environmentId}/as`: the `iss` of every token. */
  readonly issuer: string
  /** `{mtlsUrl}/{environmentId}/as`: the endpoints under it are for clients with certificates; no `iss`. */
  readonly mtlsBase: string | undefined
  /** `{authUrl}/{environmentId}`: flows and `/as`. */
  readonly authBase: string
  /** `{apiUrl}/v1`: the management API. */
  readonly apiBase: string
  /** `{authUrl}/{environmentId}`: the hosted pages. */
  readonly pagesBase: string
  /** The `Path` of the session cookie (decision D1). */
  readonly cookiePath: string
  /** Whether cookies may carry `Secure; SameSite=None`. */
  readonly secure: boolean
  /** The `aud` of tokens for the platform: the API's origin. */
  readonly platformAudience: string
}

/** Resolves the site of an environment. */
export function resolveSite(origins: Origins, environmentId: string): Site {
  const authBase = `${origins.authUrl}/${environmentId}`
  return {
    environmentId,
    issuer: `${authBase}/as`,
    mtlsBase: origins.mtlsUrl === undefined ? undefined : `${origins.mtlsUrl}/${environmentId}/as`,
    authBase,
    apiBase: `${origins.apiUrl}/v1`,
    pagesBase: authBase,
    cookiePath: `/${environmentId}`,
    secure: origins.authUrl.startsWith('https://'),
    platformAudience: origins.apiUrl,
  }
}
