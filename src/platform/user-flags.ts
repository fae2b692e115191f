/**
 * The switches of a user that have addresses of their own: `~/users/{userId}/enabled` and `~/users/{userId}/mfaEnabled`,
 * platform-api 3.5. Read at use (decision D23): from the moment the answer leaves, a disabled user cannot sign on, redeem
 * a code or use a token. Their sessions end with it, so that applications can be told; enabling them revives none.
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference } from '../contract/validation.ts'
import { endRecognition } from '../directory/recognition.ts'
import { endSessionsOfUser } from '../directory/session-end.ts'
import type { User } from '../directory/users.ts'
import { notFound } from '../errors/problem.ts'
import { remove, update } from '../storage/operations.ts'
import { controlledUser, reachedKey, reachedUser } from './user-control.ts'
import { partLinks } from './user-representation.ts'
import { common, partOfUser } from './user-routes.ts'

const reading = { permission: 'idm:read:user', self: 'p1:read:user' } as const
const changing = { permission: 'idm:update:user', recent: true } as const

/** A switch: its member and address, its column, and how the reference speaks of it. */
interface Flag {
  readonly member: 'enabled' | 'mfaEnabled'
  readonly column: 'enabled' | 'mfa_enabled'
  readonly ids: { readonly read: string; readonly write: string }
  readonly what: string
}

const enabled: Flag = {
  member: 'enabled',
  column: 'enabled',
  ids: { read: 'readUserEnabled', write: 'updateUserEnabled' },
  what: 'a user is enabled',
}

const mfaEnabled: Flag = {
  member: 'mfaEnabled',
  column: 'mfa_enabled',
  ids: { read: 'readUserMfaEnabled', write: 'updateUserMfaEnabled' },
  what: 'MFA is enabled for a user',
}

function operationsOf({ member, column, ids, what }: Flag): readonly Operation[] {
  const flag = z.object({ [member]: z.boolean() })
  const resource = flag.extend({ _links: linksSchema, environment: reference, user: reference })
  const declared = { ...common, ...partOfUser(`/${member}`), replies: { 200: resource } } as const

  const body = (context: Context, owner: User) => ({
    _links: links(partLinks(context, owner, member)),
    environment: { id: owner.environmentId },
    user: { id: owner.id },
    [member]: owner[member],
  })

  const read = defineOperation({
    ...declared,
    id: ids.read,
    method: 'GET',
    summary: `Read whether ${what}`,
    permission: { kind: 'role', population: true, ...reading },
    errors: ['FORBIDDEN', 'NOT_FOUND'],
    async handle({ params }, context) {
      return { status: 200, body: body(context, (await reachedUser(context, params.userId, reading)).user) }
    },
  })

  const write = defineOperation({
    ...declared,
    id: ids.write,
    method: 'PUT',
    summary: `Say whether ${what}`,
    permission: { kind: 'role', population: true, ...changing },
    body: { kind: 'json', schema: flag },
    errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
    event: 'USER.UPDATED',
    async handle({ params: { userId }, body: request }, context) {
      const { kernel, now, record } = context
      const on = request[member] === true
      const reached = await controlledUser(context, userId, changing)
      await kernel.storage.commit({
        name: `set-user-${member}`,
        *run() {
          const columns = { [column]: on ? 1 : 0, updated_at: now }
          if (!(yield* update('users', reachedKey(reached), columns))) throw notFound()
          const { environmentId } = reached.user
          if (member === 'mfaEnabled') yield* endRecognition(environmentId, userId)
          if (member === 'enabled' && !on) {
            yield* endSessionsOfUser(kernel.world, environmentId, userId, null, now)
            yield* remove('invitations', { environment_id: environmentId, user_id: userId })
          }
          yield record({ subject: { type: 'USER', id: userId }, detail: { changed: [member], [member]: on } })
        },
      })
      return { status: 200, body: body(context, { ...reached.user, [member]: on }) }
    },
  })
  return [read, write]
}

export const userFlagOperations: readonly Operation[] = [...operationsOf(enabled), ...operationsOf(mfaEnabled)]
