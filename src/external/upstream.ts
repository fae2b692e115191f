/**
 * An identity provider as its protocol sees it: where its endpoints are, how this server authenticates there, and which
 * claim names somebody for good. Made of a preset or of what an administrator wrote.
 */
import type { IdentityProvider, IdentityProviderDocument } from '../environment/identity-provider.ts'
import { presets } from './presets.ts'
import type { UpstreamEndpoints } from './upstream-endpoints.ts'

/** A provider that can be asked. */
export interface Upstream extends UpstreamEndpoints {
  readonly clientId: string
  /** Only Apple needs both, beside its key. */
  readonly keyId: string
  readonly teamId: string
}

/** How a configured provider is asked. */
export function upstreamOf({ type, document }: Pick<IdentityProvider, 'type' | 'document'>): Upstream {
  const endpoints = type === 'OPENID_CONNECT' ? configured(document) : presets[type].endpoints(document)
  const { clientId = document.appId ?? '', keyId = '', teamId = '' } = document
  return { ...endpoints, clientId, keyId, teamId }
}

const authentications = { CLIENT_SECRET_BASIC: 'basic', CLIENT_SECRET_POST: 'post', NONE: 'none' } as const

function configured(document: IdentityProviderDocument): UpstreamEndpoints {
  const { authorizationEndpoint = '', tokenEndpoint = '', scopes = [] } = document
  return {
    protocol: 'oidc',
    issuer: document.issuer ?? '',
    discoveryEndpoint: document.discoveryEndpoint ?? null,
    authorizationEndpoint,
    tokenEndpoint,
    jwksEndpoint: document.jwksEndpoint ?? '',
    userInfoEndpoints: document.userInfoEndpoint ? [document.userInfoEndpoint] : [],
    scopes: scopes.includes('openid') ? scopes : ['openid', ...scopes],
    clientAuthentication: authentications[document.tokenEndpointAuthMethod ?? 'CLIENT_SECRET_BASIC'],
    pkce: document.pkceMethod === 'S256',
    responseMode: 'query',
    subject: { claim: 'sub', isInteger: false },
    aliases: {},
  }
}
