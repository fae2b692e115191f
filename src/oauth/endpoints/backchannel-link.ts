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
import { userWithPasswordById } from '../../directory/users.ts'
import { beginOnPage } from '../../flow-runtime/begin-on-page.ts'
import { lateBackchannelPage } from '../../pages/elsewhere-page.ts'
import { grantOfLink } from '../backchannel/link.ts'
import { backchannelRequestOf } from '../backchannel/reach.ts'

async function follow(context: Context, token: string): Promise<Reply> {
  const { kernel, environment, now } = context
  const id = grantOfLink(environment, token)
  const grant = id === undefined ? undefined : await readPolledGrant(kernel.storage, environment.id, id, now)
  if (!grant || grant.isDecided || grant.userId === null) return lateBackchannelPage(context)
  const [application, asked] = await Promise.all([
    kernel.environments.application(environment.id, grant.clientId),
    userWithPasswordById(kernel, environment.id, grant.userId),
  ])
  if (!application?.enabled || !asked) return lateBackchannelPage(context)
  const { acrValues } = grant.request
  const grants = { backchannel: backchannelRequestOf(grant) }
  const location = await beginOnPage(context, { application, onlyUser: asked.user, acrValues, grants })
  return { status: 302, headers: { location } }
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
