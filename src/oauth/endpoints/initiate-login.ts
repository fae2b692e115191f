/**
 * Login that is initiated by this server: OpenID Connect Core section 4 (extension). The link of an application in a portal,
 * an intranet page or a mail: the browser goes to the `initiateLoginUri` of the application with `iss`, and with
 * `target_link_uri` and `login_hint` where there are any; there it begins an authorization request like any other.
 *
 * Never: somebody signed on by the link itself, or named by it because of a session that lives here.
 */
import { z } from 'zod'
import { type Context, defineOperation, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { problem } from '../../errors/problem.ts'
import { withQuery } from '../response-modes/query.ts'
import { findClient } from '../find-client.ts'
import { isVouchedFor } from '../registration/vouched-for.ts'
import { initiateLogin } from '../rules/initiate-login.ts'

const parameters = z.object({
  client_id: z.string().max(2048).optional().describe('Required.'),
  login_hint: z.string().max(256).optional(),
  target_link_uri: z
    .string()
    .max(2048)
    .optional()
    .describe('Default: `targetLinkUri` of the application. At an origin that the application has registered.'),
})

async function start(
  context: Context,
  { client_id: id = '', login_hint: loginHint, target_link_uri: targetLinkUri }: z.output<typeof parameters>,
): Promise<Reply> {
  const { environment, site } = context
  const application = await findClient(context, environment, id)
  if (!application?.enabled) throw problem('unknown_client')
  const login = initiateLogin(site.issuer, application.document, { loginHint, targetLinkUri })
  if ('uri' in login && !isVouchedFor(environment, application, login.uri)) {
    throw problem('unauthorized_client', { description: 'nobody has vouched for the initiate_login_uri of the client' })
  }
  if ('uri' in login) return { status: 302, headers: { location: withQuery(login.uri, login.parameters) } }
  switch (login.refused) {
    case 'no initiateLoginUri':
      throw problem('unauthorized_client', { description: 'the application has no initiateLoginUri' })
    case 'foreign target_link_uri':
      throw problem('invalid_request', { description: 'target_link_uri is at no origin of the application' })
  }
}

export const initiateLoginOperations: readonly Operation[] = [
  defineOperation({
    id: 'initiateLogin',
    method: 'GET',
    path: '/{environmentId}/as/initiateLogin',
    surface: 'page',
    tag: 'OAuth 2 and OpenID Connect',
    summary: 'Begin a login at an application',
    source: 'OpenID Connect Core section 4',
    extension: true,
    permission: { kind: 'public' },
    cors: 'none',
    params: z.object({ environmentId: uuid }),
    query: parameters,
    replies: { 302: null },
    errors: ['unknown_client', 'unauthorized_client', 'invalid_request', 'INVALID_DATA', 'LIMITED'],
    handle: ({ query }, context) => start(context, query),
  }),
]
