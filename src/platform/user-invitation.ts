/**
 * Inviting users (extension): `POST ~/users/{userId}` with `user.invite`, and the invitation that is open,
 * `~/users/{userId}/invitation`, to be read and withdrawn. PingOne documents how an invitation is accepted
 * (authentication-api 4.1 row 14) and not how it is made; docs/decisions/2026-11-27-invitations.md; rows K36, K38.
 *
 * Whoever has the code chooses the password, so that inviting somebody takes what setting their password takes.
 *
 * Never: the code or the link in an answer (K38); an invitation beside a password that there is, or in the place of an
 * identity provider.
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import { vendorMediaType } from '../contract/media-type.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp } from '../contract/validation.ts'
import { countSending } from '../directory/code-limits.ts'
import { type InvitedTo, invitationOf, invite } from '../directory/invitations.ts'
import { canAuthenticate, type User } from '../directory/users.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { remove } from '../storage/operations.ts'
import { anyLinkedAccountOf } from '../storage/sql/linked-accounts.ts'
import { accountNotUsable, tooManyCodes } from './password-refusals.ts'
import { controlledUser, reachedUser } from './user-control.ts'
import { controlledPassword } from './user-password-state.ts'
import { partLinks, userBody, userResource } from './user-representation.ts'
import { common, oneUser, partOfUser } from './user-routes.ts'

const reading = { permission: 'idm:read:user' } as const
const inviting = { permission: 'idm:set:userPassword' } as const

const declared = { ...common, source: 'docs/decisions/2026-11-27-invitations.md', extension: true } as const

const inviteUser = defineOperation({
  ...declared,
  ...oneUser,
  id: 'inviteUser',
  method: 'POST',
  summary: 'Invite a user to choose the first password, by e-mail; an earlier invitation is over',
  mediaTypes: [vendorMediaType('user.invite')],
  permission: { kind: 'role', population: true, ...inviting },
  body: {
    kind: 'json',
    schema: z.object({
      application: reference
        .optional()
        .describe('Where the user arrives, by its sign-on policies; default: nowhere, by the default policy.'),
    }),
  },
  replies: { 200: userResource },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND', 'LIMITED'],
  event: 'USER.INVITED',
  async handle({ params: { userId }, body }, context) {
    const { kernel, environment, site, now, record } = context
    const { reached, stored } = await controlledPassword(context, userId, inviting)
    const { user } = reached
    requireInvitable(user, stored !== null, now)
    await requireNoProvider(context, userId)
    const application = await invitedTo(context, body.application?.id)
    const wait = await countSending(kernel, { environmentId: environment.id, userId, identifier: '' }, now)
    if (wait !== undefined) throw tooManyCodes(wait)
    const target = { application, pageUrl: `${site.pagesBase}/invite` }
    await kernel.storage.commit({
      name: 'invite-user',
      *run() {
        yield* invite(kernel.world, environment, user, target, now)
        yield record({
          subject: { type: 'USER', id: userId },
          ...(application ? { detail: { applicationId: application.id } } : {}),
        })
      },
    })
    kernel.wakeOutbox()
    return { status: 200, body: userBody(context, reached) }
  },
})

/** @throws Problem that names what stands in the way */
function requireInvitable(
  user: User,
  hasPassword: boolean,
  now: number,
): asserts user is User & { readonly document: { readonly email: string } } {
  if (user.document.email === undefined) throw invalidData('REQUIRED_VALUE', 'email', 'must not be null')
  if (!canAuthenticate(user, now)) throw accountNotUsable()
  if (hasPassword) throw inTheWay('password', 'The user has a password. Send a recovery code instead.')
}

/** @throws Problem for a user who signs on elsewhere */
async function requireNoProvider({ kernel, environment }: Context, userId: string): Promise<void> {
  const linked = await kernel.storage.read(anyLinkedAccountOf(environment.id, userId))
  if (linked.length > 0) throw inTheWay('linkedAccounts', 'The user signs on at an identity provider.')
}

function inTheWay(target: string, message: string) {
  return problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', target, message }] })
}

/** @throws Problem INVALID_DATA for what is no enabled application of the environment */
async function invitedTo({ kernel, environment }: Context, id: string | undefined): Promise<InvitedTo['application']> {
  if (id === undefined) return null
  const application = await kernel.environments.application(environment.id, id)
  if (application?.enabled) return application
  throw invalidData('INVALID_VALUE', 'application.id', 'is not an enabled application of this environment')
}

const part = partOfUser('/invitation')

const readInvitation = defineOperation({
  ...declared,
  ...part,
  id: 'readInvitation',
  method: 'GET',
  summary: 'Read the open invitation of a user',
  permission: { kind: 'role', population: true, ...reading },
  replies: {
    200: z.object({
      _links: linksSchema,
      environment: reference,
      user: reference,
      application: reference.optional(),
      createdAt: timestamp,
      expiresAt: timestamp,
    }),
  },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { userId } }, context) {
    const { kernel, environment, now } = context
    const { user } = await reachedUser(context, userId, reading)
    const invitation = await invitationOf(kernel, environment.id, userId, now)
    if (!invitation) throw notFound()
    const { applicationId, createdAt, expiresAt } = invitation
    return {
      status: 200,
      body: {
        _links: links(partLinks(context, user, 'invitation')),
        environment: { id: environment.id },
        user: { id: userId },
        ...(applicationId === null ? {} : { application: { id: applicationId } }),
        createdAt: iso(createdAt),
        expiresAt: iso(expiresAt),
      },
    }
  },
})

const withdrawInvitation = defineOperation({
  ...declared,
  ...part,
  id: 'withdrawInvitation',
  method: 'DELETE',
  summary: 'Withdraw the invitation of a user; its link is of no use from then on',
  permission: { kind: 'role', population: true, ...inviting },
  replies: { 204: null },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  event: 'USER.INVITATION_WITHDRAWN',
  async handle({ params: { userId } }, context) {
    const { kernel, environment, now, record } = context
    await controlledUser(context, userId, inviting)
    if (!(await invitationOf(kernel, environment.id, userId, now))) throw notFound()
    await kernel.storage.commit({
      name: 'withdraw-invitation',
      *run() {
        if ((yield* remove('invitations', { environment_id: environment.id, user_id: userId })) === 0) throw notFound()
        yield record({ subject: { type: 'USER', id: userId } })
      },
    })
    return { status: 204 }
  },
})

export const userInvitationOperations: readonly Operation[] = [inviteUser, readInvitation, withdrawInvitation]
