/**
 * Introspection: RFC 7662, authentication-api 2.11; signed answers RFC 9701. By an application as it authenticates at the
 * token endpoint, or by the server of a custom resource, whose `client_id` is the id of the resource.
 *
 * Never: an answer to whoever has not authenticated as registered (RFC 7662 section 2.1).
 */
import { z } from 'zod'
import type { FormParameters } from '../../contract/form.ts'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../../contract/operation.ts'
import { eventOrigin } from '../../contract/event-origin.ts'
import { uuid } from '../../contract/validation.ts'
import { problem } from '../../errors/problem.ts'
import { eventRow } from '../../events/record.ts'
import { signingKeyFor } from '../../environment/signing-key-choice.ts'
import { signJwt } from '../../keys/jws.ts'
import { authenticateClient } from '../client-auth/authenticate.ts'
import { authenticateResource } from '../client-auth/authenticate-resource.ts'
import { clientErrors, clientParameters, readCredentials } from '../client-auth/credentials.ts'
import { clientAuthMethods } from '../client-auth/metadata.ts'
import { type Introspection, type Introspector, introspect } from '../introspection.ts'
import { defineMetadata } from '../metadata.ts'
import { withValues } from '../parameters.ts'

export const introspectionMetadata = defineMetadata(
  {
    introspection_endpoint: z.string(),
    introspection_endpoint_auth_methods_supported: z.array(z.string()),
    introspection_signing_alg_values_supported: z.array(z.string()),
  },
  (environment, site) => ({
    introspection_endpoint: `${site.issuer}/introspect`,
    introspection_endpoint_auth_methods_supported: clientAuthMethods(environment, site),
    // The default one, and what an application has a key rotation policy or a profile for.
    introspection_signing_alg_values_supported: [
      ...new Set([
        environment.defaultKeyRotationPolicy.algorithm,
        ...[...environment.keyRotationPolicies.values()].map(({ algorithm }) => algorithm),
      ]),
    ],
  }),
)

const signedType = 'token-introspection+jwt'

async function answer(context: Context, body: FormParameters): Promise<Reply> {
  const { kernel, environment, headers } = context
  const { values, repeated } = withValues(body)
  if (repeated.length > 0) throw problem('invalid_request', { description: `${repeated[0]} is repeated` })
  const asking = await introspector(context, values)
  const { token } = values
  if (token === undefined) throw problem('invalid_request', { description: 'token is missing' })
  const introspection = await introspect(context, asking, token)
  const { type, id } = nameOf(asking)
  const event = {
    action: 'TOKEN.INTROSPECTED',
    subject: { type, id },
    clientId: id,
    detail: { active: introspection.active },
  } as const
  kernel.volumeEvents.add(eventRow(eventOrigin(context, environment.id), event))
  return prefersSigned(headers.accept)
    ? await signed(context, asking, introspection)
    : { status: 200, body: introspection }
}

async function introspector(context: Context, values: Readonly<Record<string, string>>): Promise<Introspector> {
  const credentials = readCredentials(context.headers, values)
  const resource = await authenticateResource(context, context.environment, credentials)
  if (resource) return { kind: 'resource', resource }
  return { kind: 'application', application: await authenticateClient(context, context.environment, credentials) }
}

function nameOf(asking: Introspector): { readonly type: 'APPLICATION' | 'RESOURCE'; readonly id: string } {
  return asking.kind === 'resource'
    ? { type: 'RESOURCE', id: asking.resource.id }
    : { type: 'APPLICATION', id: asking.application.id }
}

/** Whether `Accept` names the signed form, and nothing above it (RFC 9701 section 4). */
function prefersSigned(accept: string | undefined): boolean {
  const qualities = new Map<string, number>()
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
    qualities.set(type, quality)
  }
  const quality = qualities.get(`application/${signedType}`) ?? 0
  return quality > 0 && quality >= (qualities.get('application/json') ?? 0)
}

async function signed({ environment, site, now }: Context, asking: Introspector, body: Introspection): Promise<Reply> {
  const claims = { iss: site.issuer, aud: nameOf(asking).id, iat: Math.floor(now / 1000), token_introspection: body }
  const application = asking.kind === 'application' ? { application: asking.application } : {}
  const content = await signJwt(signingKeyFor(environment, application, now), claims, { typ: signedType })
  return { status: 200, text: { contentType: `application/${signedType}`, content } }
}

/** RFC 7662 section 2.2 with `acr` and `auth_time` (RFC 9470 section 6.2), `cnf`, `act` and what is mapped into the token. */
const introspectionResponse = z.looseObject({
  active: z.boolean(),
  scope: z.string().optional(),
  client_id: z.string().optional(),
  token_type: z.enum(['Bearer', 'DPoP']).optional(),
  exp: z.number().int().optional(),
  iat: z.number().int().optional(),
  sub: z.string().optional(),
  aud: z.union([z.string(), z.array(z.string())]).optional(),
  iss: z.string().optional(),
  jti: z.string().optional(),
})

export const introspectionOperations: readonly Operation[] = [
  defineOperation({
    id: 'introspectToken',
    method: 'POST',
    path: '/{environmentId}/as/introspect',
    surface: 'oauth',
    tag: 'OAuth 2 and OpenID Connect',
    summary: 'Read whether a token is active, and what it says',
    source: 'authentication-api 2.11; RFC 7662; RFC 9701',
    permission: { kind: 'public' },
    cors: 'none',
    params: z.object({ environmentId: uuid }),
    body: formBody(
      z.object({
        token: z.string().describe('An access, refresh or ID token.'),
        token_type_hint: z.string().optional().describe('Not needed: a token says itself what it is.'),
        ...clientParameters,
        client_id: z.string().optional().describe('The id of an application, or of a custom resource.'),
      }),
    ),
    replies: { 200: introspectionResponse },
    errors: ['invalid_request', ...clientErrors],
    handle: ({ body }, context) => answer(context, body),
  }),
]
