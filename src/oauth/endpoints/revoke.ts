/**
 * Revocation: RFC 7009, authentication-api 2.12. An access token for a custom resource ends the grants of its application in
 * its session, with everything issued from them; a refresh token does as well, or its own grant alone where that is offline.
 * An opaque access token that has no grant of the application to end is forgotten by itself. What is unknown, expired or somebody else's is answered like what was revoked, and changes nothing (row E17).
 *
 * Never: a grant ended by whoever it was not given to, or an answer before the end is durable (row E18).
 */
import { z } from 'zod'
import { hashOpaqueToken } from '../../access/opaque-token.ts'
import type { FormParameters } from '../../contract/form.ts'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { problem } from '../../errors/problem.ts'
import { allowApplicationOrigin } from '../../flow-runtime/application-origin.ts'
import { run } from '../../storage/port.ts'
import { forgetOpaqueToken } from '../../storage/sql/access.ts'
import {
  familyOwner,
  revokeFamiliesOfClientInSession,
  revokeFamily,
  sessionOfFamily,
} from '../../storage/sql/token-families.ts'
import { authenticateClient } from '../client-auth/authenticate.ts'
import { type ClientCredentials, clientErrors, clientParameters, readCredentials } from '../client-auth/credentials.ts'
import { clientAuthMethods } from '../client-auth/metadata.ts'
import { defineMetadata } from '../metadata.ts'
import { withValues } from '../parameters.ts'
import { readPresentedToken } from '../presented-token.ts'

export const revocationMetadata = defineMetadata(
  { revocation_endpoint: z.string(), revocation_endpoint_auth_methods_supported: z.array(z.string()) },
  (environment, site) => ({
    revocation_endpoint: `${site.issuer}/revoke`,
    revocation_endpoint_auth_methods_supported: clientAuthMethods(environment, site),
  }),
)

async function revoke(context: Context, body: FormParameters): Promise<Reply> {
  const { environment } = context
  const { values, repeated } = withValues(body)
  if (repeated.length > 0) throw problem('invalid_request', { description: `${repeated[0]} is repeated` })
  const client = await authenticateClient(context, environment, credentialsOf(context, values))
  allowApplicationOrigin(context, client)
  const { token } = values
  if (token === undefined) throw problem('invalid_request', { description: 'token is missing' })
  const presented = await readPresentedToken(context, token)
  switch (presented?.kind) {
    case undefined:
      break
    case 'refresh':
      await endGrant(context, client.id, presented.name.familyId)
      break
    case 'access': {
      const { format, claims, access } = presented.reading
      if (access.clientId !== client.clientId) break
      const isForPlatform = access.audience.includes(context.site.platformAudience)
      const { grantId } = access
      // A token that was got by exchange lives by the grant of another application, which is not this one's to end.
      if (grantId && !isForPlatform && (await endGrant(context, client.id, grantId)) === 'ended') break
      if (format === 'JWT') throw problem('unsupported_token_type')
      await forget(context, client.id, token, String(claims['jti']))
      break
    }
    case 'id':
      if (presented.id.clientId === client.clientId) throw problem('unsupported_token_type')
      break
  }
  return { status: 200 }
}

/** Ends a grant of a client, and those it has in the same session. */
async function endGrant(context: Context, clientId: string, familyId: string): Promise<'ended' | 'foreign'> {
  const { kernel, environment, now } = context
  const [family] = await kernel.storage.read(familyOwner(environment.id, familyId))
  if (!family) return 'ended'
  if (family.client_id !== clientId) return 'foreign'
  const { sessionId, isOffline } = sessionOfFamily(family.session_id)
  await kernel.storage.commit({
    name: 'revoke-token',
    *run() {
      const [revoked] = yield* run(revokeFamily(environment.id, familyId, now))
      if (!revoked) return
      if (!isOffline) yield revokeFamiliesOfClientInSession(environment.id, family, now)
      yield context.record({
        subject: { type: 'AUTHORIZATION', id: familyId },
        clientId,
        userId: family.user_id,
        sessionId,
      })
    },
  })
  return 'ended'
}

/** Forgets an opaque token. */
async function forget(context: Context, clientId: string, token: string, jti: string): Promise<void> {
  const { kernel, environment } = context
  await kernel.storage.commit({
    name: 'forget-token',
    *run() {
      const [forgotten] = yield* run(forgetOpaqueToken(environment.id, hashOpaqueToken(token)))
      if (forgotten) yield context.record({ subject: { type: 'ACCESS_TOKEN', id: jti }, clientId })
    },
  })
}

/**
 * The credentials of a request. p14c-js-sdk-auth names a public client by Basic authentication without a colon
 * (authentication-api 2.8, 8.3), here and nowhere else.
 */
function credentialsOf({ headers }: Context, values: Readonly<Record<string, string>>): ClientCredentials {
  const encoded = /^Basic +([A-Za-z0-9+/]+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''
  const clientId = Buffer.from(encoded, 'base64').toString('latin1')
  const { client_id: named = clientId, client_secret: secret } = values
  const isBare = uuid.safeParse(clientId).success && named === clientId && secret === undefined
  return isBare ? { method: 'NONE', clientId } : readCredentials(headers, values)
}

export const revocationOperations: readonly Operation[] = [
  defineOperation({
    id: 'revokeToken',
    method: 'POST',
    path: '/{environmentId}/as/revoke',
    surface: 'oauth',
    tag: 'OAuth 2 and OpenID Connect',
    summary: 'Revoke a token, with what was issued beside it',
    source: 'authentication-api 2.12; RFC 7009',
    permission: { kind: 'public' },
    cors: 'application',
    params: z.object({ environmentId: uuid }),
    body: formBody(
      z.object({
        token: z.string().describe('An access token for a custom resource, or a refresh token.'),
        token_type_hint: z.string().optional().describe('Not needed: a token says itself what it is.'),
        ...clientParameters,
      }),
    ),
    replies: { 200: null },
    errors: ['invalid_request', ...clientErrors, 'unsupported_token_type', 'CROSS_SITE'],
    event: 'TOKEN.REVOKED',
    handle: ({ body }, context) => revoke(context, body),
  }),
]
