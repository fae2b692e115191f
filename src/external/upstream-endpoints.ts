/** How an identity provider is asked, by whatever preset or administrator describes it: platform-api 3.13. */

/** How a preset or an administrator describes a provider. */
export interface UpstreamEndpoints {
  /** OpenID Connect with a signed ID token, or OAuth 2 with a resource that names whose token it is. */
  readonly protocol: 'oidc' | 'oauth'
  /** `iss` of its ID tokens; null with OAuth 2. */
  readonly issuer: string | null
  /** Its configuration document, whose issuer has to be the same (row M23); null: not asked. */
  readonly discoveryEndpoint: string | null
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly jwksEndpoint: string | null
  /** All are asked, in order, and put together. */
  readonly userInfoEndpoints: readonly string[]
  readonly scopes: readonly string[]
  readonly clientAuthentication: 'basic' | 'post' | 'none' | 'apple'
  readonly pkce: boolean
  /** Apple answers a request for name or address by a form alone. */
  readonly responseMode: 'query' | 'form_post'
  /** What names somebody for good: a text, or an integer where the provider counts its accounts. */
  readonly subject: { readonly claim: string; readonly isInteger: boolean }
  /** Further names for what the provider says, as PingOne's mappings use them: name -> claim. */
  readonly aliases: Readonly<Record<string, string>>
}
