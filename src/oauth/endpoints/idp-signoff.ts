/**
 * Sign-off without a browser's cookie: authentication-api 2.18. An ID token is enough to end the session that it names,
 * where its application says so (`idpSignoff`). No page, no redirect: clients call it by fetch (authentication-api 8.4).
 *
 * Never: a session ended for an application that has not chosen so, or one of another environment (rows I11, I14, E13).
 */
import { z } from 'zod'
import { type Context, defineOperation, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { hashSessionToken, readSessionToken } from '../../directory/session-cookie.ts'
import { problem } from '../../errors/problem.ts'
import { forgetSession } from '../../flow-runtime/answer-cookies.ts'
import { allowApplicationOrigin } from '../../flow-runtime/application-origin.ts'
import { sessionById } from '../../storage/sql/sessions.ts'
import { verifyIdTokenHint } from '../id-token-hint.ts'
import { defineMetadata } from '../metadata.ts'
import { endNamedSession } from '../sign-off.ts'

export const idpSignoffMetadata = defineMetadata(
  { ping_end_idp_session_endpoint: z.string() },
  (_environment, site) => ({ ping_end_idp_session_endpoint: `${site.issuer}/idpSignoff` }),
)

const parameters = z.object({
  id_token_hint: z.string().optional().describe('Required. An ID token of the application; it may have expired.'),
  client_id: z.string().optional(),
})

async function idpSignOff(
  context: Context,
  { id_token_hint: sent, client_id: clientId }: z.output<typeof parameters>,
): Promise<Reply> {
  const { kernel, environment, headers, now } = context
  if (!sent) throw problem('invalid_request', { description: 'id_token_hint is missing' })
  const hint = await verifyIdTokenHint(context, sent)
  const application = hint && (await kernel.environments.client(environment.id, hint.clientId))
  if (!hint || !application?.enabled || (clientId && clientId !== hint.clientId)) {
    throw problem('id_token_hint_rejected')
  }
  allowApplicationOrigin(context, application)
  if (application.document.echoed['idpSignoff'] !== true) {
    throw problem('unauthorized_client', { description: 'the application does not have idpSignoff' })
  }
  const token = readSessionToken(headers.cookie)
  const [live] = token === undefined ? [] : await kernel.storage.read(sessionById(environment.id, hint.sessionId, now))
  await endNamedSession(context, hint, application.id)
  if (token !== undefined && live?.token_hash === hashSessionToken(token)) forgetSession(context)
  return { status: 204 }
}

export const idpSignoffOperations: readonly Operation[] = [
  defineOperation({
    id: 'idpSignoff',
    method: 'GET',
    path: '/{environmentId}/as/idpSignoff',
    surface: 'oauth',
    tag: 'OAuth 2 and OpenID Connect',
    summary: 'End the session that an ID token names, without its cookie',
    source: 'authentication-api 2.18',
    permission: { kind: 'public' },
    cors: 'application',
    params: z.object({ environmentId: uuid }),
    query: parameters,
    replies: { 204: null },
    errors: ['invalid_request', 'id_token_hint_rejected', 'unauthorized_client', 'CROSS_SITE'],
    event: 'SESSION.DELETED',
    handle: ({ query }, context) => idpSignOff(context, query),
  }),
]
