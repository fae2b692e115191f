/**
 * Identity providers as clients write and read them: platform-api 3.13, one body per type.
 *
 * The secret is answered to whoever may change the provider, since clients compare it with what they sent; anybody else
 * reads a mask, and a mask that is sent back is no secret (row G10).
 *
 * Never: an address that the server would not ask anyway, accepted in silence; a secret in an event or error.
 */
import type { BlockList } from 'node:net'
import { z } from 'zod'
import { allows } from '../access/actor.ts'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { type IdentityProviderDocument, identityProviderSecretContext } from '../environment/identity-provider.ts'
import { type Detail, invalidData, problem } from '../errors/problem.ts'
import { outboundUrlProblem } from '../external/outbound-url.ts'
import { type IdentityProviderType, identityProviderTypes } from '../flow/identity-provider.ts'
import { open } from '../keys/sealing.ts'
import type { IdentityProviderRow } from '../storage/sql/identity-providers.ts'
import { withoutNulls } from './absent-members.ts'
import { description, name } from './names.ts'
import { webAddressProblem } from '../environment/registered-urls.ts'
import { webAddress } from './web-address.ts'

/** What stands in the place of a secret that the reader may not have. */
export const secretMask = '********'

const text = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[\x21-\x7e]+$/)
const secret = z
  .string()
  .min(1)
  .max(4096)
  .refine((value) => value !== secretMask, 'must be the secret itself, not what hides it')
const address = z.string().max(2048)
const image = z.object({ id: z.string().max(256), href: webAddress })
const domain = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/)

const common = {
  name,
  description: description.optional(),
  enabled: z.boolean(),
  icon: image.optional(),
  loginButtonIcon: image.optional(),
  registration: z
    .object({ population: reference.optional() })
    .optional()
    .describe('With a population, whoever the provider vouches for gets an account there.'),
  trustedEmailDomains: z
    .array(domain)
    .max(100)
    .optional()
    .describe(
      'Extension: an account whose verified e-mail address lies in one of these domains is linked without a question ' +
        'when the provider has verified the same address.',
    ),
}

const byClientSecret = { ...common, clientId: text, clientSecret: secret }

function ofType<Type extends IdentityProviderType, Shape extends z.ZodRawShape>(type: Type, shape: Shape) {
  return z.object({ ...shape, type: z.literal(type) })
}

const bodies = z.discriminatedUnion('type', [
  ofType('FACEBOOK', { ...common, appId: text, appSecret: secret }),
  ofType('GOOGLE', byClientSecret),
  ofType('LINKEDIN', byClientSecret),
  ofType('LINKEDIN_OIDC', byClientSecret),
  ofType('TWITTER', byClientSecret),
  ofType('AMAZON', byClientSecret),
  ofType('YAHOO', byClientSecret),
  ofType('GITHUB', byClientSecret),
  ofType('MICROSOFT', {
    ...byClientSecret,
    tenantId: z
      .string()
      .regex(/^[A-Za-z0-9.-]{1,100}$/)
      .optional(),
  }),
  ofType('APPLE', { ...common, clientId: text, clientSecretSigningKey: secret, keyId: text, teamId: text }),
  ofType('PAYPAL', { ...byClientSecret, clientEnvironment: z.enum(['sandbox', 'live']) }),
  ofType('OPENID_CONNECT', {
    ...common,
    clientId: text,
    clientSecret: secret,
    authorizationEndpoint: address,
    discoveryEndpoint: address.optional(),
    issuer: address,
    jwksEndpoint: address,
    scopes: z
      .array(
        z
          .string()
          .max(256)
          .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/),
      )
      .min(1)
      .max(100),
    tokenEndpoint: address,
    tokenEndpointAuthMethod: z
      .enum(['CLIENT_SECRET_BASIC', 'CLIENT_SECRET_POST', 'NONE'])
      .default('CLIENT_SECRET_BASIC'),
    userInfoEndpoint: address.optional(),
    pkceMethod: z.enum(['S256', 'NONE']).default('NONE'),
    acceptsAssertions: z
      .boolean()
      .optional()
      .describe('Extension: applications with the grant type JWT_BEARER get tokens by JWTs that the provider signs.'),
  }),
])

/** A provider as sent. */
export const identityProviderRequest = z.preprocess(requireKnownType, bodies)

export type IdentityProviderRequest = z.output<typeof identityProviderRequest>

function requireKnownType(sent: unknown): unknown {
  const candidate = withoutNulls(sent)
  const type = typeof candidate === 'object' && candidate ? (candidate as { type?: unknown }).type : undefined
  if (type === 'SAML') throw unknownType('SAML is not available in this version of Stile')
  if (type !== undefined && !identityProviderTypes.some((known) => known === type)) {
    throw unknownType('must be one of the allowed values')
  }
  return candidate
}

function unknownType(message: string): Error {
  return invalidData('INVALID_VALUE', 'type', message, { allowedValues: identityProviderTypes })
}

/** A provider as answered. */
export const identityProvider = z.looseObject({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  name: z.string(),
  type: z.enum(identityProviderTypes),
  enabled: z.boolean(),
  createdAt: timestamp,
  updatedAt: timestamp,
})

const secretMembers = {
  FACEBOOK: 'appSecret',
  APPLE: 'clientSecretSigningKey',
} as const

/** The member that holds the secret of a type. */
function secretMember(type: string): 'appSecret' | 'clientSecretSigningKey' | 'clientSecret' {
  return type === 'FACEBOOK' || type === 'APPLE' ? secretMembers[type] : 'clientSecret'
}

/**
 * Parts a request into its columns and its secret.
 * @param listed addresses that may be asked although they are not public
 * @throws Problem INVALID_DATA for an address that the server or a browser must not be sent to
 */
export function partedProvider(body: IdentityProviderRequest, listed: BlockList | undefined) {
  const details = body.type === 'OPENID_CONNECT' ? addressProblems(body, listed) : []
  if (details.length > 0) throw problem('INVALID_DATA', { details })
  const { name: named, type, enabled, ...rest } = body
  const { [secretMember(type)]: plain, ...document } = rest as Record<string, unknown>
  return {
    columns: { name: named, type, enabled: enabled ? 1 : 0, document: JSON.stringify(document) },
    secret: String(plain),
  }
}

function addressProblems(
  body: Extract<IdentityProviderRequest, { type: 'OPENID_CONNECT' }>,
  listed: BlockList | undefined,
): Detail[] {
  const asked = ['issuer', 'discoveryEndpoint', 'jwksEndpoint', 'tokenEndpoint', 'userInfoEndpoint'] as const
  const found = asked.flatMap((member): Detail[] => {
    const url = body[member]
    const message = url === undefined ? undefined : outboundUrlProblem(url, listed)
    return message ? [{ code: 'INVALID_VALUE', target: member, message }] : []
  })
  const message = webAddressProblem(body.authorizationEndpoint, true)
  return message ? [...found, { code: 'INVALID_VALUE', target: 'authorizationEndpoint', message }] : found
}

/** The body of a provider. */
export function identityProviderBody({ site, environment, actor }: Context, row: IdentityProviderRow) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  const self = `${environmentUrl}/identityProviders/${row.id}`
  const mayChange = allows(actor, 'idps:update:identityProvider', {
    organizationId: environment.organizationId,
    environmentId: environment.id,
  })
  const revealed =
    mayChange && row.sealed_secret !== null
      ? open(environment.dataKey, row.sealed_secret, identityProviderSecretContext(environment.id, row.id)).toString()
      : secretMask
  return {
    _links: links({ self, environment: environmentUrl, attributes: `${self}/attributes` }),
    id: row.id,
    environment: { id: environment.id },
    name: row.name,
    type: row.type,
    enabled: row.enabled === 1,
    ...(JSON.parse(row.document) as IdentityProviderDocument),
    [secretMember(row.type)]: revealed,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}
