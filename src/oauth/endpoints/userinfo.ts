/**
 * Userinfo: OpenID Connect Core section 5.3, authentication-api 2.10. Failures are PingOne JSON with the challenge of
 * RFC 6750 section 3. Reads the grant, session and user at use, so that a revocation or a disabled user counts at once
 * (decisions D22, D23). Never: an application token, an ID token, or a claim that neither the
 * scopes of the token bring nor its request asked for by itself.
 */
import { z } from 'zod'
import { readAccessToken } from '../../access/access-token.ts'
import { type PresentedToken, presentedToken, requireProof } from '../../access/bearer.ts'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../../contract/operation.ts'
import { eventOrigin } from '../../contract/event-origin.ts'
import { uuid } from '../../contract/validation.ts'
import type { UserDocument } from '../../directory/users.ts'
import { invalidToken, problem } from '../../errors/problem.ts'
import { eventRow } from '../../events/record.ts'
import { allowApplicationOrigin } from '../../flow-runtime/application-origin.ts'
import { defineMetadata } from '../metadata.ts'
import { withValues } from '../parameters.ts'
import type { FamilyDocument } from '../token-family.ts'
import { userClaims } from '../tokens/claims.ts'
import { userinfoReply } from '../tokens/userinfo-response.ts'

export const userinfoMetadata = defineMetadata({ userinfo_endpoint: z.string() }, (_environment, site) => ({
  userinfo_endpoint: `${site.issuer}/userinfo`,
}))

const claims = z.looseObject({ sub: z.string() })

async function readUserinfo(presented: PresentedToken, context: Context): Promise<Reply> {
  const { kernel, environment } = context
  const reading = await readAccessToken(context, presented.token)
  const application = reading?.application
  if (!reading || !application?.enabled) throw invalidToken('the access token is not valid')
  const { access, userId, sessionId, grant } = reading
  allowApplicationOrigin(context, application)
  await requireProof(context, environment, presented, access)
  const { grantId, scopes } = access
  if (access.subject === undefined || !sessionId || !grantId || !scopes.has('openid')) throw insufficientScope()
  if (!userId || !grant) throw invalidToken('the access token is not valid')
  const event = { action: 'USERINFO.READ', clientId: application.id, userId, sessionId } as const
  kernel.volumeEvents.add(eventRow(eventOrigin(context, environment.id), event))
  const { claims: asked } = JSON.parse(grant.family_document) as FamilyDocument
  const source = {
    userId,
    username: grant.username,
    populationId: grant.population_id,
    createdAt: grant.created_at,
    updatedAt: grant.updated_at,
    document: JSON.parse(grant.document) as UserDocument,
  }
  const wanted = { place: 'userInfo', scopes: [...scopes], requested: asked?.userinfo ?? [] } as const
  const body = {
    ...(await userClaims(context, environment, application, source, wanted)),
    env: environment.id,
    org: environment.organizationId,
    'p1.region': environment.region,
  }
  return userinfoReply(context, application, body)
}

/** A token in the body has no scheme of its own; one that is bound to a key has to be in the header (RFC 9449 7.1). */
function inForm(token: string): PresentedToken {
  return { scheme: 'Bearer', token }
}

function insufficientScope(): Error {
  return problem('insufficient_scope', {
    details: [{ code: 'INSUFFICIENT_PERMISSIONS', message: 'The access token does not carry the openid scope.' }],
    headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="openid"' },
  })
}

const declaration = {
  path: '/{environmentId}/as/userinfo',
  surface: 'management',
  tag: 'OAuth 2 and OpenID Connect',
  summary: 'Read the claims of the user an access token was issued for',
  source: 'authentication-api 2.10; OpenID Connect Core section 5.3',
  permission: { kind: 'public' },
  cors: 'application',
  params: z.object({ environmentId: uuid }),
  replies: { 200: claims },
  errors: ['INVALID_TOKEN', 'insufficient_scope', 'invalid_request', 'CROSS_SITE'],
} as const

export const userinfoOperations: readonly Operation[] = [
  defineOperation({
    ...declaration,
    id: 'userinfo',
    method: 'GET',
    handle: (_input, context) => readUserinfo(presentedToken(context.headers.authorization), context),
  }),
  defineOperation({
    ...declaration,
    id: 'userinfoByPost',
    method: 'POST',
    body: formBody(z.object({ access_token: z.string().optional() })),
    handle({ body }, context) {
      const { values, repeated } = withValues(body)
      const inBody = values['access_token']
      const isTwice = inBody !== undefined && context.headers.authorization !== undefined
      if (isTwice || repeated.length > 0) {
        throw problem('INVALID_REQUEST', { headers: { 'www-authenticate': 'Bearer error="invalid_request"' } })
      }
      const presented = inBody === undefined ? presentedToken(context.headers.authorization) : inForm(inBody)
      return readUserinfo(presented, context)
    },
  }),
]
