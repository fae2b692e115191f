/**
 * PURE: the providers that need no endpoints from their administrator: platform-api 3.13. Data only; each is described by
 * its own documentation. `username` is the mapping every provider of the type begins with.
 */
import type { IdentityProviderDocument } from '../environment/identity-provider.ts'
import type { IdentityProviderType } from '../flow/identity-provider.ts'
import type { UpstreamEndpoints } from './upstream-endpoints.ts'

/** One type of provider. */
export interface Preset {
  /** The value of the mapping CORE `username`. */
  readonly username: string
  endpoints(document: IdentityProviderDocument): UpstreamEndpoints
}

/** OpenID Connect Core 5.1, the way most providers do it. */
const oidc = {
  protocol: 'oidc',
  discoveryEndpoint: null,
  scopes: ['openid', 'profile', 'email'],
  clientAuthentication: 'post',
  pkce: true,
  responseMode: 'query',
  subject: { claim: 'sub', isInteger: false },
  aliases: {},
} as const

/** OAuth 2 with a resource that says who somebody is. */
const oauth = {
  protocol: 'oauth',
  issuer: null,
  discoveryEndpoint: null,
  jwksEndpoint: null,
  clientAuthentication: 'post',
  pkce: false,
  responseMode: 'query',
  aliases: {},
} as const

const of = (claim: string, isInteger = false) => ({ claim, isInteger })

export const presets: Readonly<Record<Exclude<IdentityProviderType, 'OPENID_CONNECT'>, Preset>> = {
  GOOGLE: {
    username: '${providerAttributes.emailAddress.value}',
    endpoints: () => ({
      ...oidc,
      issuer: 'https://accounts.google.com',
      authorizationEndpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
      tokenEndpoint: 'https://oauth2.googleapis.com/token',
      jwksEndpoint: 'https://www.googleapis.com/oauth2/v3/certs',
      userInfoEndpoints: ['https://openidconnect.googleapis.com/v1/userinfo'],
      aliases: {
        'emailAddress.value': 'email',
        'name.displayName': 'name',
        'name.givenName': 'given_name',
        'name.familyName': 'family_name',
        'photo.url': 'picture',
      },
    }),
  },
  APPLE: {
    username: '${providerAttributes.sub}',
    endpoints: () => ({
      ...oidc,
      issuer: 'https://appleid.apple.com',
      authorizationEndpoint: 'https://appleid.apple.com/auth/authorize',
      tokenEndpoint: 'https://appleid.apple.com/auth/token',
      jwksEndpoint: 'https://appleid.apple.com/auth/keys',
      userInfoEndpoints: [],
      scopes: ['openid', 'name', 'email'],
      clientAuthentication: 'apple',
      pkce: false,
      responseMode: 'form_post',
    }),
  },
  YAHOO: {
    username: '${providerAttributes.sub}',
    endpoints: () => ({
      ...oidc,
      issuer: 'https://api.login.yahoo.com',
      authorizationEndpoint: 'https://api.login.yahoo.com/oauth2/request_auth',
      tokenEndpoint: 'https://api.login.yahoo.com/oauth2/get_token',
      jwksEndpoint: 'https://api.login.yahoo.com/openid/v1/certs',
      userInfoEndpoints: ['https://api.login.yahoo.com/openid/v1/userinfo'],
      clientAuthentication: 'basic',
    }),
  },
  LINKEDIN_OIDC: {
    username: '${providerAttributes.sub}',
    endpoints: () => ({
      ...oidc,
      issuer: 'https://www.linkedin.com/oauth',
      authorizationEndpoint: 'https://www.linkedin.com/oauth/v2/authorization',
      tokenEndpoint: 'https://www.linkedin.com/oauth/v2/accessToken',
      jwksEndpoint: 'https://www.linkedin.com/oauth/openid/jwks',
      userInfoEndpoints: ['https://api.linkedin.com/v2/userinfo'],
      pkce: false,
    }),
  },
  LINKEDIN: {
    username: '${providerAttributes.emailAddress}',
    endpoints: () => ({
      ...oauth,
      authorizationEndpoint: 'https://www.linkedin.com/oauth/v2/authorization',
      tokenEndpoint: 'https://www.linkedin.com/oauth/v2/accessToken',
      userInfoEndpoints: [
        'https://api.linkedin.com/v2/me',
        'https://api.linkedin.com/v2/emailAddress?q=members&projection=(elements*(handle~))',
      ],
      scopes: ['r_liteprofile', 'r_emailaddress'],
      subject: of('id'),
      aliases: {
        emailAddress: 'elements.0.handle~.emailAddress',
        firstName: 'localizedFirstName',
        lastName: 'localizedLastName',
      },
    }),
  },
  MICROSOFT: {
    username: '${providerAttributes.id}',
    endpoints: ({ tenantId = 'common' }) => ({
      ...oauth,
      authorizationEndpoint: `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/authorize`,
      tokenEndpoint: `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`,
      userInfoEndpoints: ['https://graph.microsoft.com/v1.0/me'],
      scopes: ['User.Read'],
      pkce: true,
      subject: of('id'),
    }),
  },
  GITHUB: {
    username: '${providerAttributes.id}',
    endpoints: () => ({
      ...oauth,
      authorizationEndpoint: 'https://github.com/login/oauth/authorize',
      tokenEndpoint: 'https://github.com/login/oauth/access_token',
      userInfoEndpoints: ['https://api.github.com/user'],
      scopes: ['read:user', 'user:email'],
      pkce: true,
      subject: of('id', true),
    }),
  },
  FACEBOOK: {
    username: '${providerAttributes.email}',
    endpoints: () => ({
      ...oauth,
      authorizationEndpoint: 'https://www.facebook.com/v21.0/dialog/oauth',
      tokenEndpoint: 'https://graph.facebook.com/v21.0/oauth/access_token',
      userInfoEndpoints: ['https://graph.facebook.com/v21.0/me?fields=id,email,first_name,last_name,middle_name,name'],
      scopes: ['email', 'public_profile'],
      subject: of('id'),
    }),
  },
  TWITTER: {
    username: '${providerAttributes.id}',
    endpoints: () => ({
      ...oauth,
      authorizationEndpoint: 'https://x.com/i/oauth2/authorize',
      tokenEndpoint: 'https://api.x.com/2/oauth2/token',
      userInfoEndpoints: ['https://api.x.com/2/users/me'],
      scopes: ['users.read', 'tweet.read'],
      clientAuthentication: 'basic',
      pkce: true,
      subject: of('data.id'),
      aliases: { id: 'data.id', name: 'data.name', username: 'data.username' },
    }),
  },
  AMAZON: {
    username: '${providerAttributes.user_id}',
    endpoints: () => ({
      ...oauth,
      authorizationEndpoint: 'https://www.amazon.com/ap/oa',
      tokenEndpoint: 'https://api.amazon.com/auth/o2/token',
      userInfoEndpoints: ['https://api.amazon.com/user/profile'],
      scopes: ['profile'],
      subject: of('user_id'),
    }),
  },
  PAYPAL: {
    username: '${providerAttributes.user_id}',
    endpoints: ({ clientEnvironment }) => {
      const sandbox = clientEnvironment === 'live' ? '' : 'sandbox.'
      return {
        ...oauth,
        authorizationEndpoint: `https://www.${sandbox}paypal.com/signin/authorize`,
        tokenEndpoint: `https://api-m.${sandbox}paypal.com/v1/oauth2/token`,
        userInfoEndpoints: [`https://api-m.${sandbox}paypal.com/v1/identity/openidconnect/userinfo?schema=openid`],
        scopes: ['openid', 'profile', 'email'],
        clientAuthentication: 'basic',
        subject: of('user_id'),
      }
    },
  },
}

/** The value of the mapping CORE `username` that a provider of this type begins with. */
export function standardUsername(type: IdentityProviderType): string {
  return type === 'OPENID_CONNECT' ? '${providerAttributes.sub}' : presets[type].username
}
