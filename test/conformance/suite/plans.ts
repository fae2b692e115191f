/**
 * The plans of the suite for OpenID Connect: which modules run with which variant. A plan leaves open whether clients are
 * static or register themselves; modules that apply to the latter alone are run so.
 */
import type { ModuleName } from '../modules/index.ts'
import { dynamicClient, type ResponseType, staticClient, type Variant } from './variants.ts'

/** Modules that run with one variant. */
export interface Entry {
  readonly variant: Variant
  readonly modules: readonly ModuleName[]
}

/** What every response type is put to: the request in all its shapes. */
const requests: readonly ModuleName[] = [
  'oidcc-scope-profile',
  'oidcc-scope-email',
  'oidcc-scope-address',
  'oidcc-scope-phone',
  'oidcc-scope-all',
  'oidcc-alternate-happy-flow',
  'oidcc-display-page',
  'oidcc-display-popup',
  'oidcc-prompt-login',
  'oidcc-prompt-none-not-logged-in',
  'oidcc-prompt-none-logged-in',
  'oidcc-max-age-1',
  'oidcc-max-age-10000',
  'oidcc-ensure-request-with-unknown-parameter-succeeds',
  'oidcc-id-token-hint',
  'oidcc-login-hint',
  'oidcc-ui-locales',
  'oidcc-claims-locales',
  'oidcc-ensure-request-with-acr-values-succeeds',
]
const userInfo: readonly ModuleName[] = ['oidcc-userinfo-get', 'oidcc-userinfo-post-header', 'oidcc-userinfo-post-body']
const codes: readonly ModuleName[] = ['oidcc-codereuse', 'oidcc-codereuse-30seconds']
const requestObjects: readonly ModuleName[] = [
  'oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported',
  'oidcc-claims-essential',
  'oidcc-ensure-request-object-with-redirect-uri',
]
/** Applicable to clients that register themselves alone. */
const requestUris: readonly ModuleName[] = ['oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported']

const basic: readonly Entry[] = [
  {
    variant: staticClient('code'),
    modules: [
      'oidcc-server',
      'oidcc-response-type-missing',
      'oidcc-idtoken-signature',
      ...userInfo,
      'oidcc-ensure-request-without-nonce-succeeds-for-code-flow',
      ...requests,
      ...codes,
      'oidcc-ensure-registered-redirect-uri',
      'oidcc-ensure-post-request-succeeds',
      ...requestObjects,
      'oidcc-refresh-token',
      'oidcc-ensure-request-with-valid-pkce-succeeds',
    ],
  },
  {
    variant: staticClient('code', { clientAuth: 'client_secret_post' }),
    modules: ['oidcc-server-client-secret-post'],
  },
  { variant: dynamicClient('code'), modules: ['oidcc-idtoken-unsigned', ...requestUris] },
]

const implicitTypes: readonly ResponseType[] = ['id_token', 'id_token token']

const implicit: readonly Entry[] = implicitTypes.flatMap((type) => [
  {
    variant: staticClient(type),
    modules: [
      'oidcc-server',
      'oidcc-idtoken-signature',
      'oidcc-ensure-request-without-nonce-fails',
      ...requests,
      'oidcc-ensure-registered-redirect-uri',
      ...requestObjects,
      ...(type === 'id_token token' ? [...userInfo, 'oidcc-response-type-missing' as const] : []),
    ],
  },
  { variant: dynamicClient(type), modules: requestUris },
])

const hybridTypes: readonly ResponseType[] = ['code id_token', 'code token', 'code id_token token']

const hybrid: readonly Entry[] = hybridTypes.flatMap((type) => [
  {
    variant: staticClient(type),
    modules: [
      'oidcc-server',
      'oidcc-idtoken-signature',
      ...userInfo,
      type === 'code token'
        ? 'oidcc-ensure-request-without-nonce-succeeds-for-code-flow'
        : 'oidcc-ensure-request-without-nonce-fails',
      ...requests,
      ...codes,
      'oidcc-ensure-registered-redirect-uri',
      ...requestObjects,
      'oidcc-refresh-token',
      ...(type === 'code id_token'
        ? (['oidcc-response-type-missing', 'oidcc-ensure-request-with-valid-pkce-succeeds'] as const)
        : []),
    ],
  },
  {
    variant: staticClient(type, { clientAuth: 'client_secret_post' }),
    modules: ['oidcc-server-client-secret-post'],
  },
  { variant: dynamicClient(type), modules: requestUris },
])

/** The same modules, whose responses are posted by a form. */
function byFormPost(entries: readonly Entry[]): readonly Entry[] {
  return entries.map((entry) => ({ ...entry, variant: { ...entry.variant, responseMode: 'form_post' } }))
}

const byKey = { clientAuth: 'private_key_jwt' } as const

export const plans = {
  'oidcc-config-certification-test-plan': [
    { variant: staticClient('code'), modules: ['oidcc-discovery-endpoint-verification'] },
    { variant: dynamicClient('code'), modules: ['oidcc-discovery-endpoint-verification'] },
  ],
  'oidcc-basic-certification-test-plan': basic,
  'oidcc-implicit-certification-test-plan': implicit,
  'oidcc-hybrid-certification-test-plan': hybrid,
  'oidcc-formpost-basic-certification-test-plan': byFormPost(basic),
  'oidcc-formpost-implicit-certification-test-plan': byFormPost(implicit),
  'oidcc-formpost-hybrid-certification-test-plan': byFormPost(hybrid),
  'oidcc-dynamic-certification-test-plan': [
    {
      variant: dynamicClient('code', byKey),
      modules: [
        'oidcc-idtoken-rs256',
        'oidcc-idtoken-unsigned',
        'oidcc-userinfo-rs256',
        'oidcc-ensure-redirect-uri-in-authorization-request',
        'oidcc-redirect-uri-query-OK',
        'oidcc-redirect-uri-query-mismatch',
        'oidcc-redirect-uri-query-added',
        'oidcc-redirect-uri-regfrag',
        'oidcc-discovery-endpoint-verification',
        'oidcc-server',
        'oidcc-registration-logo-uri',
        'oidcc-registration-policy-uri',
        'oidcc-registration-tos-uri',
        'oidcc-registration-jwks-uri',
        'oidcc-registration-sector-uri',
        'oidcc-registration-sector-bad',
        'oidcc-server-rotate-keys',
        'oidcc-refresh-token-rp-key-rotation',
        'oidcc-request-uri-unsigned',
        'oidcc-request-uri-signed-rs256',
        'oidcc-ensure-request-object-with-redirect-uri',
        'oidcc-refresh-token',
        'oidcc-ensure-client-assertion-with-iss-aud-succeeds',
      ],
    },
  ],
  'oidcc-3rdparty-init-login-certification-test-plan': [
    {
      variant: dynamicClient('code'),
      modules: ['oidcc-3rd_party-init-login', 'oidcc-3rd_party-init-login-nohttps'],
    },
  ],
  'oidcc-rp-initiated-logout-certification-test-plan': [
    {
      variant: staticClient('code'),
      modules: [
        'oidcc-rp-initiated-logout-discovery-endpoint-verification',
        'oidcc-rp-initiated-logout',
        'oidcc-rp-initiated-logout-bad-post-logout-redirect-uri',
        'oidcc-rp-initiated-logout-modified-id-token-hint',
        'oidcc-rp-initiated-logout-no-id-token-hint',
        'oidcc-rp-initiated-logout-no-params',
        'oidcc-rp-initiated-logout-no-post-logout-redirect-uri',
        'oidcc-rp-initiated-logout-no-state',
        'oidcc-rp-initiated-logout-only-state',
        'oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri',
        'oidcc-rp-initiated-logout-bad-id-token-hint',
      ],
    },
  ],
  'oidcc-backchannel-rp-initiated-logout-certification-test-plan': [
    {
      variant: dynamicClient('code'),
      modules: ['oidcc-backchannel-logout-discovery-endpoint-verification', 'oidcc-backchannel-rp-initiated-logout'],
    },
  ],
  'oidcc-frontchannel-rp-initiated-logout-certification-test-plan': [
    {
      variant: dynamicClient('code'),
      modules: ['oidcc-frontchannel-logout-discovery-endpoint-verification', 'oidcc-frontchannel-rp-initiated-logout'],
    },
  ],
  'oidcc-session-management-certification-test-plan': [
    {
      variant: staticClient('code'),
      modules: [
        'oidcc-session-management-discovery-endpoint-verification',
        'oidcc-session-management-rp-initiated-logout',
      ],
    },
  ],
} as const satisfies Readonly<Record<string, readonly Entry[]>>

/** The name of a plan. */
export type PlanName = keyof typeof plans
