/**
 * Where the link leads that a user is sent for a backchannel authentication request: to a flow of its application in which
 * nobody but that user signs on, and approves or does not. OpenID CIBA Core section 8; rows Q06, Q08.
 *
 * Never: anything decided by following the link, which programs do; a link of any use once the request is decided or over.
 */
import { z } from 'zod'
import { type Context, defineOperation, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { readPolledGrant } from '../../directory/polled-grants.ts'
import { readSessionToken, sessionCookie } from '../../directory/session-cookie.ts'
import { sessionOfToken } from '../../directory/sessions.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import { problem } from '../../errors/problem.ts'
import { setCookie } from '../../flow-runtime/answer-cookies.ts'
import { signOnPage } from '../../flow-runtime/address.ts'
import { beginFlow, storeFlow } from '../../flow-runtime/runtime.ts'
import { lateBackchannelPage } from '../../pages/elsewhere-page.ts'
import { grantOfLink } from '../backchannel/link.ts'
import { backchannelRequestOf } from '../backchannel/reach.ts'

async function follow(context: Context, token: string): Promise<Reply> {
  const { kernel, environment, site, now } = context
  const id = grantOfLink(environment, token)
  const grant = id === undefined ? undefined : await readPolledGrant(kernel.storage, environment.id, id, now)
  const application = grant && (await kernel.environments.application(environment.id, grant.clientId))
  if (!grant || grant.isDecided || grant.userId === null || !application?.enabled) return lateBackchannelPage(context)
  const cookie = readSessionToken(context.headers.cookie)
  const [found, user] = await Promise.all([
    cookie ? sessionOfToken(kernel, environment.id, cookie, now) : undefined,
    userWithPasswordById(kernel, environment.id, grant.userId),
  ])
  const begun = await beginFlow(context, {
    application,
    door: 'redirect',
    forcesLogin: false,
    isSilent: false,
    maxAge: null,
    loginHint: user?.user.username ?? null,
    hintedUserId: grant.userId,
    acrValues: grant.request.acrValues,
    grants: { backchannel: backchannelRequestOf(grant) },
    parameters: {},
    session: found?.session ?? null,
    sessionUser: found?.user,
  })
  if (begun.state.status === 'FAILED') {
    throw problem('access_denied', { description: begun.state.failure?.message ?? '' })
  }
  const binding = cookie ?? kernel.world.uuid()
  await storeFlow(context, begun, binding)
  if (binding !== cookie) setCookie(context, sessionCookie(site, binding, now))
  return { status: 302, headers: { location: signOnPage(site, application, begun.state.id) } }
}

export const backchannelLinkOperations: readonly Operation[] = [
  defineOperation({
    id: 'backchannelLink',
    method: 'GET',
    path: '/{environmentId}/backchannel',
    surface: 'page',
    tag: 'Pages',
    summary: 'Sign on to approve the request of an application, by the link that was sent',
    source: 'docs/decisions/2026-11-26-ciba.md; OpenID CIBA Core section 8',
    extension: true,
    permission: { kind: 'public' },
    cors: 'none',
    params: z.object({ environmentId: uuid }),
    query: z.object({ token: z.string().max(1000) }),
    replies: { 302: null, 404: null },
    errors: ['access_denied', 'NOT_FOUND'],
    handle: ({ query }, context) => follow(context, query.token),
  }),
]
