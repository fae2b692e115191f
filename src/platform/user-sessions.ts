/**
 * The sessions of a user: `~/users/{userId}/sessions`, authentication-api 2.18, platform-api 3.5. Ending one ends what
 * was issued in it, in the same unit (row I20).
 *
 * Never: a session reached through another user than its own (row I24).
 */
import { collection, collectionSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { endSession } from '../directory/session-end.ts'
import { type Session, sessionFrom } from '../directory/sessions.ts'
import { notFound } from '../errors/problem.ts'
import { sessionById, sessionsOfUser } from '../storage/sql/sessions.ts'
import { controlledUser, reachedUser } from './user-control.ts'
import { partOfUser } from './user-routes.ts'
import { sessionBody, sessionResource } from './user-session-representation.ts'

const reading = { permission: 'idm:read:userSession', self: 'p1:read:sessions' } as const
const deleting = { permission: 'idm:delete:userSession', self: 'p1:delete:sessions' } as const

const common = {
  surface: 'management',
  tag: 'Sessions',
  source: 'authentication-api 2.18; platform-api 3.5',
  cors: 'none',
} as const
const allSessions = partOfUser('/sessions')
const oneSession = {
  path: `${allSessions.path}/{sessionId}`,
  params: allSessions.params.extend({ sessionId: uuid }),
} as const

/** As many as the resource is documented to list; what is older comes up as newer ones end. */
const listed = 10

/** A live session of a user. @throws Problem NOT_FOUND, also for one of somebody else */
async function sessionOf({ kernel, environment, now }: Context, userId: string, sessionId: string): Promise<Session> {
  const [row] = await kernel.storage.read(sessionById(environment.id, sessionId, now))
  if (row?.user_id !== userId) throw notFound()
  return sessionFrom(row)
}

const listSessions = defineOperation({
  ...common,
  ...allSessions,
  id: 'listSessions',
  method: 'GET',
  summary: 'List the live sessions of a user, the newest first',
  permission: { kind: 'role', population: true, ...reading },
  replies: { 200: collectionSchema('sessions', sessionResource) },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { userId } }, context) {
    const { kernel, environment, now, target } = context
    const { user } = await reachedUser(context, userId, reading)
    const rows = await kernel.storage.read(sessionsOfUser(environment.id, userId, now, listed))
    const items = rows.map((row) => sessionBody(context, user, sessionFrom(row)))
    return { status: 200, body: collection('sessions', items, `${kernel.origins.apiUrl}${target}`) }
  },
})

const readSession = defineOperation({
  ...common,
  ...oneSession,
  id: 'readSession',
  method: 'GET',
  summary: 'Read a session of a user',
  permission: { kind: 'role', population: true, ...reading },
  replies: { 200: sessionResource },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { userId, sessionId } }, context) {
    const { user } = await reachedUser(context, userId, reading)
    return { status: 200, body: sessionBody(context, user, await sessionOf(context, userId, sessionId)) }
  },
})

const deleteSession = defineOperation({
  ...common,
  ...oneSession,
  id: 'deleteSession',
  method: 'DELETE',
  summary: 'End a session of a user, with everything that was issued in it',
  permission: { kind: 'role', population: true, ...deleting },
  replies: { 204: null },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  event: 'SESSION.DELETED',
  async handle({ params: { userId, sessionId } }, context) {
    const { kernel, environment, now } = context
    await controlledUser(context, userId, deleting)
    await sessionOf(context, userId, sessionId)
    await kernel.storage.commit({
      name: 'delete-session',
      *run() {
        const end = { environmentId: environment.id, id: sessionId, ending: 'revoked', now } as const
        if (!(yield* endSession(kernel.world, end))) throw notFound()
        yield context.record({ subject: { type: 'SESSION', id: sessionId }, detail: { userId } })
      },
    })
    return { status: 204 }
  },
})

export const userSessionOperations: readonly Operation[] = [listSessions, readSession, deleteSession]
