/**
 * Ending a session by its own id, or by the cookie that names it: `~/sessions/{sessionId}` and `~/sessions/me` with the media
 * type `sso.session.logout`, platform-api 1.13. It is ended with what was issued in it (directory/session-end.ts, row I20).
 *
 * Never: a session ended from the page of another origin. The media type is none that a form can send, and no preflight
 * allows it (row I10).
 */
import { z } from 'zod'
import { vendorMediaType } from '../contract/media-type.ts'
import { type Context, defineOperation, type Operation, type Reply } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { readSessionToken } from '../directory/session-cookie.ts'
import { endSession, type SessionEnding } from '../directory/session-end.ts'
import { sessionOfToken } from '../directory/sessions.ts'
import { notFound } from '../errors/problem.ts'
import { sessionById } from '../storage/sql/sessions.ts'
import { controlledUser } from './user-control.ts'

const deleting = { permission: 'idm:delete:userSession' } as const

const declared = {
  surface: 'management',
  tag: 'Sessions',
  source: 'platform-api 1.13',
  cors: 'none',
  method: 'POST',
  mediaTypes: [vendorMediaType('sso.session.logout')],
  body: { kind: 'json', schema: z.object({}) },
  replies: { 204: null },
  event: 'SESSION.DELETED',
} as const

async function logout(
  { kernel, environment, now, record }: Context,
  { id, userId, ending }: { readonly id: string; readonly userId: string; readonly ending: SessionEnding },
): Promise<Reply> {
  await kernel.storage.commit({
    name: 'logout-session',
    *run() {
      const ended = yield* endSession(kernel.world, { environmentId: environment.id, id, ending, now })
      if (!ended) throw notFound()
      yield record({ subject: { type: 'SESSION', id }, userId, detail: { userId } })
    },
  })
  return { status: 204 }
}

const logoutSession = defineOperation({
  ...declared,
  id: 'logoutSession',
  path: '/v1/environments/{environmentId}/sessions/{sessionId}',
  params: z.object({ environmentId: uuid, sessionId: uuid }),
  summary: 'End a session of whichever user, with everything that was issued in it',
  permission: { kind: 'role', population: true, ...deleting },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { sessionId } }, context) {
    const { kernel, environment, now } = context
    const [row] = await kernel.storage.read(sessionById(environment.id, sessionId, now))
    if (!row) throw notFound()
    await controlledUser(context, row.user_id, deleting)
    return logout(context, { id: sessionId, userId: row.user_id, ending: 'revoked' })
  },
})

const logoutOwnSession = defineOperation({
  ...declared,
  id: 'logoutOwnSession',
  path: '/v1/environments/{environmentId}/sessions/me',
  params: z.object({ environmentId: uuid }),
  summary: 'End the session whose cookie the request carries, with everything that was issued in it',
  permission: { kind: 'public' },
  errors: ['INVALID_DATA', 'INVALID_REQUEST', 'NOT_FOUND'],
  async handle(_input, context) {
    const { kernel, environment, headers, now } = context
    const token = readSessionToken(headers.cookie)
    const found = token ? await sessionOfToken(kernel, environment.id, token, now) : undefined
    if (!found) throw notFound()
    const { id, userId } = found.session
    return logout(context, { id, userId, ending: 'signed off' })
  },
})

export const sessionLogoutOperations: readonly Operation[] = [logoutSession, logoutOwnSession]
